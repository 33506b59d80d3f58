"""Files and what is in them: segments, journal, catalog, locks. Knows no trees.

`docs/format.md` describes every byte; "I1" and the like in comments are the invariants listed there.
"""
