"""``python -m benchmarks`` measures OtrDB beside baselines, other databases and the machine's limits."""
