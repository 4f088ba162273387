"""DuckDB extensions: from the wheel beside duckdb, else from the official repository.

Belongs here: finding and loading a binary. Does not: which extension a lake needs.
"""

import importlib.util
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


def load(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make `name` usable on the connection's database; ExtensionError when it cannot be had."""
    path = wheel_path(name)
    try:
        if path is not None:
            connection.execute(f"LOAD '{str(path).replace(chr(39), chr(39) * 2)}'")
        else:
            connection.execute(f"INSTALL {name}")
            connection.execute(f"LOAD {name}")
    except duckdb.Error as error:
        wheel = name.replace("_", "-")
        raise ExtensionError(
            f"DuckDB extension {name!r} for duckdb {duckdb.__version__} cannot be loaded ({str(error).splitlines()[0]}); "
            f"install the wheel `pip install duckdb-extension-{wheel}=={duckdb.__version__}` or allow duckdb to download it"
        ) from error
