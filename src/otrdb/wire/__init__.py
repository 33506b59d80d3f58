"""What goes over the network: the messages of the two gRPC services, from their ``.proto`` files.

``make proto`` makes a ``.binpb`` (descriptors) and a ``.pyi`` (types) from each ``.proto``.
"""

from typing import Final

PROTOCOL: Final = 1
"""Of OtrDB's own service. It grows when those who speak an older one would no longer understand."""
