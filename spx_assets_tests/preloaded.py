"""Imported by the server that test processes are forked from, so that it is done once and not by each of 50 processes.

Belongs here: what costs CPU and is the same in every process: signatures of a lake's extensions (0.4 s), the digests of the code
of features, modules that Dagster imports late. Does not: anything a test would import.
"""

import gc
import importlib
import tempfile
import warnings
from pathlib import Path

import duckdb

from spx_assets.build import build_defs
from spx_assets.lake import extensions
from spx_assets.settings import Settings

# Imported by Dagster when a run begins.
importlib.import_module("fsspec.implementations.local")
with duckdb.connect() as _checking:
    for _name in ("ducklake", "sqlite_scanner", "postgres_scanner"):
        extensions.load(_checking, _name)
with tempfile.TemporaryDirectory() as _folder, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    build_defs(Settings(home=Path(_folder)))
# All of it stays: a full collection in a forked process would look at 400,000 objects and so copy their pages.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
