"""Measures OtrDB beside two baselines, other databases and the machine's limits.

    python -m benchmarks                         profile quick: 10 M points, some minutes
    python -m benchmarks --profile full          300 M points, half an hour or more, 10 GB of disk
    python -m benchmarks --profile budget        part of one core, 1 GB, slow syncs (best as root)
    python -m benchmarks --only views --points 1000000 --contenders tree,chunked
    python -m benchmarks --report                docs/benchmark.md and its plots, from bench/results
    python -m benchmarks.sweep                   the tree's constants, as Markdown for docs/design.md

Results go to bench/results/<profile>.json; those of a part of a profile to <profile>-part.json.
"""
