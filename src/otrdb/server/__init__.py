"""The gRPC server: BTrDB's interface and a small one of our own, over an open archive."""

from otrdb.export import import_extra

import_extra("grpc", "server")
import_extra("google.protobuf", "server")
