"""Code that mypy reads and nobody runs: what the type checker must see of the public surface."""
