"""DuckDB extensions: from the wheel beside duckdb, else from the official repository.

Belongs here: finding and loading a binary. Does not: which extension a lake needs.

DuckDB checks a binary's signature at every LOAD, which costs 0.2 CPU s: more than all the rest of opening a lake. A binary that
it has accepted once in this process, or in another that kept its identity beside the same lake, is loaded by later connections
without, as long as the file is the same down to the time of its last change of status, which no program can set.
"""

import contextlib
import importlib.util
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb

from spx_assets.lake.errors import ExtensionError


def wheel_path(name: str) -> Path | None:
    """The extension's binary inside its PyPI wheel `duckdb-extension-<name>`, or None where the wheel is absent."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    for root in (spec.submodule_search_locations or []) if spec else []:
        path = Path(root) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if path.is_file():
            return path
    return None


_accepted: dict[str, list[int]] = {}
"""Per extension the identity of the file whose signature DuckDB has checked in this process."""


def accepted(names: Sequence[str], kept: Path | None = None) -> bool:
    """Whether the signatures of these very files were checked by an earlier `load` of this process, or of one that kept them."""
    known = (_kept(kept) if kept else {}) | _accepted
    paths = {name: wheel_path(name) for name in names}
    return all(path is not None and known.get(name) == _identity(path) for name, path in paths.items())


def keep(path: Path) -> None:
    """Write down what this process has had checked, for later processes; nothing where the folder is not ours to write."""
    before = _kept(path)
    if before != (now := before | _accepted) and os.access(path.parent, os.W_OK):
        begun = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        # On a full disk a lake can still be read: the next process checks again.
        with contextlib.suppress(OSError):
            try:
                begun.write_text(json.dumps(now))
                begun.replace(path)
            finally:
                begun.unlink(missing_ok=True)


def _kept(path: Path) -> dict[str, list[int]]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):  # not there, not ours to read, or no text: then the signatures are checked
        return {}
    return found if isinstance(found, dict) else {}


def _identity(path: Path) -> list[int]:
    found = os.stat(path)
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def load(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make `name` usable on the connection's database; ExtensionError when it cannot be had."""
    path = wheel_path(name)
    try:
        if path is not None:
            identity = _identity(path)
            connection.execute(f"LOAD '{str(path).replace(chr(39), chr(39) * 2)}'")
            _accepted[name] = identity
        else:
            connection.execute(f"INSTALL {name}")
            connection.execute(f"LOAD {name}")
    except duckdb.Error as error:
        wheel = name.replace("_", "-")
        raise ExtensionError(
            f"DuckDB extension {name!r} for duckdb {duckdb.__version__} cannot be loaded ({str(error).splitlines()[0]}); "
            f"install the wheel `pip install duckdb-extension-{wheel}=={duckdb.__version__}` or allow duckdb to download it"
        ) from error
