"""Collectors that write measurements of the outside world into an archive."""
