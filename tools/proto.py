"""Make the descriptors and the types of `src/otrdb/wire` from its `.proto` files: `make proto`."""

from pathlib import Path

from grpc_tools import protoc

WIRE = Path(__file__).parent.parent / "src/otrdb/wire"


def make(proto: Path, into: Path) -> None:
    """Write NAME.binpb and NAME.pyi of NAME.proto to a directory."""
    binary = into / f"{proto.stem}.binpb"
    if protoc.main(
        ["protoc", f"-I{proto.parent}", f"--descriptor_set_out={binary}", f"--pyi_out={into}", proto.name]
    ):
        raise SystemExit(f"protoc refuses {proto}.")
    made = into / f"{proto.stem}_pb2.pyi"
    made.rename(into / f"{proto.stem}.pyi")


if __name__ == "__main__":
    for proto in sorted(WIRE.glob("*.proto")):
        make(proto, WIRE)
