"""Bad input: a server process is asked whatever comes to a seeded mind, and must answer everything with a
code, stay alive and small, and lose no point.

`python -m tests.fuzz` (`make test-fuzz`) is the long run, `tests/fuzz/test_fuzz.py` a short one.
"""
