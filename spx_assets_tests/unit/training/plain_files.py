"""What a file of a model may be: data in a format that is read without running anything.

Belongs here: looking at the files of an artifact store. Does not: which files a version must have (`scoring.artifact`).
"""

import json
from pathlib import Path

import msgspec
import onnx

from spx_assets.monitoring.reference import Reference

DOMAINS = {"", "ai.onnx.ml"}
WORDS = (b"pickle", b"joblib", b"sklearn", b"xgboost.core", b"torch")
PNG = b"\x89PNG\r\n\x1a\n"


def graph(model: onnx.ModelProto) -> None:
    """Standard nodes and constants alone: no code, no file of its own, no name of a library that would read one."""
    assert {node.domain for node in model.graph.node} <= DOMAINS
    assert not model.functions
    assert not any(constant.external_data for constant in model.graph.initializer)
    content = model.SerializeToString().lower()
    assert not any(word in content for word in WORDS)


def store(folder: Path) -> dict[str, int]:
    """Looks at every file under `folder`; how many there are of each ending. Locks must be empty."""
    counts: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        assert not path.is_symlink(), path
        content = path.read_bytes()
        match path.suffix:
            case ".onnx":
                read = onnx.load_model_from_string(content)
                onnx.checker.check_model(read)
                graph(read)
            case ".json":
                json.loads(content)
            case ".msgpack":
                msgspec.msgpack.decode(content, type=Reference)
            case ".png":
                assert content.startswith(PNG), path
            case ".lock":
                assert not content, path
            case _:
                raise AssertionError(f"{path} is neither a graph, JSON, a reference, a plot nor a lock")
        counts[path.suffix] = counts.get(path.suffix, 0) + 1
    return counts
