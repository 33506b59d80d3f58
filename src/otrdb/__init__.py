"""OtrDB: a versioned time-series archiver for small machines."""

# Layers, each importing only what stands above it (tests/test_layering.py reads the imports):
#
#   vocabulary   errors, model, times, columns, results, interface: importable everywhere
#   kernels      compiled inner loops; know arrays only
#   tree         geometry, summaries, leaf and node blocks; knows no files
#   storage      medium, segments, journal, catalog, locks; knows no trees
#   engine       archive, streams, pending points, commits, versions, snapshots
#   cli, collect doors: use what this module exports, and the vocabulary
#   baseline     simpler archivers to check and measure against; kernels and vocabulary only

__version__ = "0.1.0"
