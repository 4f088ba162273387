"""The lake: one DuckLake that many processes read at a snapshot and write by replacing whole weeks.

Belongs here: connection, table contracts, window reads, partition replacement, records, staleness, maintenance. Does not:
what a source, a feature or a label is, Dagster.
"""

from spx_assets.lake.connection import Lake
from spx_assets.lake.windows import Chunk, Chunks, Window

__all__ = ["Chunk", "Chunks", "Lake", "Window"]
