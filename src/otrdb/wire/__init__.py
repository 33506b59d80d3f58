"""What goes over the network: the messages of the two gRPC services, from their ``.proto`` files.

``make proto`` makes a ``.binpb`` (descriptors) and a ``.pyi`` (types) from each ``.proto``.
"""
