"""Imports point one way: every module of the package is read and a back edge fails."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import otrdb

ROOT = Path(otrdb.__file__).parent

# layer -> what it may import besides itself. "otrdb" stands for the package's own exported names.
ALLOWED: dict[str, frozenset[str]] = {
    "kernels": frozenset(),
    "vocabulary": frozenset({"kernels"}),
    "tree": frozenset({"kernels", "vocabulary"}),
    "storage": frozenset({"kernels", "vocabulary"}),
    "engine": frozenset({"kernels", "vocabulary", "tree", "storage"}),
    "baseline": frozenset({"kernels", "vocabulary"}),
    "wire": frozenset({"kernels", "vocabulary"}),
    "remote": frozenset({"vocabulary", "wire"}),
    "server": frozenset({"otrdb", "vocabulary", "wire", "collect"}),
    "collect": frozenset({"otrdb", "vocabulary", "baseline"}),
    "testing": frozenset({"otrdb", "vocabulary", "storage", "engine"}),
    "cli": frozenset({"otrdb", "vocabulary", "baseline", "collect", "server"}),
    "otrdb": frozenset({"vocabulary", "engine", "baseline", "remote"}),
}
DOORS = frozenset({"cli", "collect", "server", "remote"})
CORE_PACKAGES = frozenset({"numpy", "pcodec", "crc32c", "otrdb"})
BUILD_ONLY = {"kernels": frozenset({"cython"})}
WITH_HYPOTHESIS = frozenset({"otrdb.testing.strategies", "otrdb.testing.stateful"})

MODULES = sorted(ROOT.rglob("*.py")) + sorted(ROOT.rglob("*.pyi"))


def name_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str:
    parts = module.split(".")
    if len(parts) == 1:
        return "otrdb"
    # Modules beside the packages (errors, model, times, ...) are the vocabulary.
    return "vocabulary" if (ROOT / f"{parts[1]}.py").exists() else parts[1]


def is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def targets(node: ast.AST, package: str) -> Iterator[str]:
    """Full names of the modules one import statement loads; none for other nodes."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            yield full if base.split(".")[0] == "otrdb" and is_module(full) else base


def package_of(path: Path) -> str:
    module = name_of(path)
    return module if path.stem == "__init__" else module.rpartition(".")[0]


def forbidden_imports(source: str, module: str, package: str) -> list[str]:
    allowed = ALLOWED[layer_of(module)] | {layer_of(module)}
    return [
        f"line {getattr(node, 'lineno', 0)}: {module} imports {target}"
        for node in ast.walk(ast.parse(source))
        for target in targets(node, package)
        if target.split(".")[0] == "otrdb" and layer_of(target) not in allowed
    ]


def at_import_time(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: no function bodies, no TYPE_CHECKING blocks."""
    for child in ast.iter_child_nodes(tree):
        guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if not guarded and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from at_import_time(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_layers(path: Path) -> None:
    assert forbidden_imports(path.read_text(), name_of(path), package_of(path)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("otrdb.tree.build", "from otrdb.storage import segments"),
        ("otrdb.tree.build", "from ..storage.segments import SegmentStore"),
        ("otrdb.storage.segments", "import otrdb.tree.leaves"),
        ("otrdb.kernels.compiled", "from otrdb import errors"),
        ("otrdb.engine.stream", "import otrdb"),
        ("otrdb.engine.stream", "from otrdb import __version__"),
        ("otrdb.baseline.flat", "def late():\n    from otrdb.engine import archive"),
        ("otrdb.cli.show", "from otrdb.engine.archive import Archive"),
        ("otrdb.times", "from otrdb import tree"),
    ],
)
def test_a_back_edge_is_found(module: str, source: str) -> None:
    assert len(forbidden_imports(source, module, module.rpartition(".")[0])) == 1


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(name_of(path)) for path in MODULES} <= set(ALLOWED)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_optional_packages_are_imported_where_used(path: Path) -> None:
    """`import otrdb` must work with the core dependencies alone; extras are loaded inside functions."""
    layer = layer_of(name_of(path))
    if layer in DOORS or path.suffix == ".pyi":  # types are for checkers, and never loaded
        return
    known = CORE_PACKAGES | BUILD_ONLY.get(layer, frozenset()) | sys.stdlib_module_names
    known |= {"hypothesis"} if name_of(path) in WITH_HYPOTHESIS else set()
    package = package_of(path)
    loaded = [name for node in at_import_time(ast.parse(path.read_text())) for name in targets(node, package)]
    assert [name for name in loaded if name.split(".")[0] not in known] == []
