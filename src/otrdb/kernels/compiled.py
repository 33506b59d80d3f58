# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Inner loops over points and summary rows."""

import cython


def bisect(times: cython.const[cython.longlong][::1], t: cython.longlong) -> cython.Py_ssize_t:
    """Index of the first of the ascending `times` that is >= `t`."""
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = times.shape[0]
    while low < high:
        middle: cython.Py_ssize_t = (low + high) >> 1
        if times[middle] < t:
            low = middle + 1
        else:
            high = middle
    return low
