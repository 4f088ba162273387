"""DuckDB extensions: from the wheel beside duckdb, else from the official repository.

Belongs here: finding and loading a binary. Does not: which extension a lake needs.

DuckDB checks a binary's signature at every LOAD, which costs 0.2 CPU s: more than all the rest of opening a lake. A binary that
it has accepted once in this process is loaded by later connections without, as long as the file is the same.
"""

import importlib.util
import os
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


_accepted: dict[str, tuple[int, int, int]] = {}
"""Per extension the identity of the file whose signature DuckDB has checked in this process."""


def accepted(names: Sequence[str]) -> bool:
    """Whether the signatures of these very files were checked by an earlier `load` of this process."""
    paths = {name: wheel_path(name) for name in names}
    return all(path is not None and _accepted.get(name) == _identity(path) for name, path in paths.items())


def _identity(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


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
