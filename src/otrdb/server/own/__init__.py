"""OtrDB's own gRPC interface, beside BTrDB's, for `otrdb.connect`. Its messages are in `otrdb.proto`."""
