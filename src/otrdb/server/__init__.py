"""The gRPC server: BTrDB's interface and a small one of our own, over an open archive."""
