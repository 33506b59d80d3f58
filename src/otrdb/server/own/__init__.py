"""OtrDB's own gRPC interface, beside BTrDB's: what `otrdb.connect` speaks. Its messages are in `otrdb.proto`."""
