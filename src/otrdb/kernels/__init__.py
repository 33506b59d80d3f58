"""Compiled inner loops; know arrays only."""

from otrdb.kernels.compiled import bisect

__all__ = ["bisect"]
