"""A model is an ONNX graph and a manifest; nothing that runs code when it is read is written or read anywhere."""

import ast
from pathlib import Path

import pytest

import serving
import spx_assets
from spx_assets.training import families
from spx_assets_tests.unit.training import plain_files
from spx_assets_tests.unit.training.test_families import FAMILIES, fitted

FORBIDDEN = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
SOURCES = sorted(path for package in (spx_assets, serving) for path in Path(package.__path__[0]).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of all modules that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_no_module_of_the_tree_imports_pickle_or_its_kin():
    assert len(SOURCES) > 100
    assert {str(path): found for path in SOURCES if (found := imported(path) & FORBIDDEN)} == {}


def test_no_module_of_the_tree_reads_arrays_that_may_hold_objects():
    words = ("allow_pickle=True", "read_pickle", "to_pickle", "torch.load(")
    assert [(str(path), word) for path in SOURCES for word in words if word in path.read_text()] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_graph_is_standard_nodes_and_constants_alone(family: str):
    plain_files.graph(fitted(family).export())


def test_every_family_of_the_tree_is_looked_at():
    """The graph of the network stands among the tests of its family, which import torch."""
    assert set(families.MODULES) == {*FAMILIES, "lstm"}
