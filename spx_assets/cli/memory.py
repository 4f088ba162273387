"""What of freed memory polars keeps, by what a command does.

Belongs here: how its allocator is told. Does not: DuckDB's limit (settings), Python's garbage.
"""

import os

ALLOCATOR = "_RJEM_MALLOC_CONF"
KEEPS_PAGES = {ALLOCATOR: "dirty_decay_ms:-1,muzzy_decay_ms:-1"}
"""Freed memory is kept for the next chunk: given back and taken again page by page it costs 7 of 100 of the CPU time from candles
to gold; kept, a tenth of a GiB."""
GIVES_BACK = {ALLOCATOR: "dirty_decay_ms:0,muzzy_decay_ms:0,narenas:1"}
"""Freed memory is given back at once: 10 MB less in a service that takes 12,000 answers a second into the lake."""


def allocator(kept: dict[str, str]) -> None:
    """Before polars is imported, which reads it; what the user set stands."""
    os.environ.update(kept | dict(os.environ))
