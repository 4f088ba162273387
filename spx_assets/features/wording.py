"""What a source file says apart from its wording: without comments, layout and docstrings.

Belongs here: that text, and remembering it beside the file's bytecode. Does not: which sources make what (`catalog`,
`news.code`).

Parsing and unparsing the sources of a graph takes 0.3 s of CPU, in every process that opens it: each command, each of Dagster's
servers and each run. So the text is kept as bytecode is: in `__pycache__`, for the state of the file and of this module, and not
where Python is told to write none or may not.
"""

import ast
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

_CODE = "utf-8"


@cache
def without_wording(path: Path) -> str:
    """Source text without comments, layout and docstrings, so that a better wording makes no partition stale."""
    kept, state = Path(cache_from_source(str(path))).with_suffix(".said"), f"{_state(path)} {_state(Path(__file__))}\n"
    try:
        found, _, said = kept.read_text(_CODE).partition("\n")
    except OSError:
        pass
    else:
        if f"{found}\n" == state:
            return said
    said = _unparsed(path.read_text(_CODE))
    if not sys.dont_write_bytecode:
        _keep(kept, state + said)
    return said


def _unparsed(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _state(path: Path) -> str:
    found = path.stat()
    return f"{found.st_mtime_ns} {found.st_size}"


def _keep(path: Path, text: str) -> None:
    """Renamed into its place, so that no other process reads half of it. Where nothing may be written, nothing is."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        fresh.write_text(text, _CODE)
        fresh.replace(path)
    with suppress(OSError):
        fresh.unlink()
