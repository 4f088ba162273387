"""What a service imports, imported before processes are forked that serve.

Belongs here: the imports, also of what libraries import late, and what they leave running. Does not: forking (`workers`),
opening a home.
"""

import gc
import importlib
import sys
from contextlib import suppress

from spx_assets.settings import Settings

LATE = (
    "uvicorn.loops.uvloop",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "anyio._backends._asyncio",
    "numpy.ma",
)
"""What is else imported at the start of a service or at its first request."""


def preload(settings: Settings) -> None:
    """Import all of it, and let DuckDB see the signatures of the extensions of the settings' lake: 1.5 CPU s and 0.2 for each."""
    without_pandas()
    import duckdb

    # Importing it opens a database with a thread. A forked process lacks the thread, yet waits for it when it ends: for ever,
    # where a thread of its own has taken that one's place.
    duckdb.default_connection().close()
    for name in LATE:
        importlib.import_module(name)
    from serving.app import create_app
    from spx_assets.features import catalog, compute

    create_app(settings)  # opens nothing, and to make one imports what the framework imports late
    for family in catalog.MARKET_FAMILIES:
        compute.steps(family, model_inputs_only=True)
    for family in (*catalog.FAMILIES, "daily_bars"):
        catalog.code_version(family)  # of sources that are read and parsed for it
    from spx_assets.lake.errors import ExtensionError
    from spx_assets.lake.extensions import load
    from spx_assets.lake.location import Location

    with suppress(ExtensionError), duckdb.connect(config={"threads": 1}) as checking:  # who opens the lake says what is missing
        for name in Location.of(settings).extensions:
            load(checking, name)
    gc.collect()
    gc.freeze()  # a collection in a forked process would write to every page that they share


def without_pandas() -> None:
    """Keeps DuckDB's client from importing pandas at its first query with parameters, which it does wherever it can.

    The service uses polars only; pandas would be a seventh of its memory (45 MB) and 0.4 s of its start.
    """
    if "pandas" not in sys.modules:
        sys.modules["pandas"] = None  # type: ignore[assignment]
