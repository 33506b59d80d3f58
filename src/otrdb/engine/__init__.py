"""Archive, streams, pending points, commits, versions and snapshots."""
