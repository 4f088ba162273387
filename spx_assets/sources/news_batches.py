"""Batches of articles in the landing folder: what one poll or file brought that was new, by its digest.

Belongs here: keeping and reading `<sha256 of itself>.news.parquet`. Does not: what is new (`news_landing`), which batches count
(`bronze.news_files`), reading by time (`news_feeds`).
"""

from pathlib import Path

import polars as pl

from spx_assets.sources.articles import ARTICLES
from spx_assets.sources.landing import intact, keep_parquet

_SUFFIX = ".news.parquet"
# A record as it lies in a batch; `record` is the digest by which it is known when it comes again.
KEPT: dict[str, pl.DataType] = {**ARTICLES, "record": pl.String()}


def keep(folder: Path, rows: pl.DataFrame) -> str:
    """Store a batch in the landing folder, whole or not at all; the digest that names it."""
    return keep_parquet(rows.select(*KEPT), folder, _SUFFIX)


def read(folder: Path, digest: str) -> pl.LazyFrame:
    """A batch by its digest, columns KEPT; LandingError if it is gone or not what the digest says."""
    return pl.scan_parquet(
        intact(folder / f"{digest}{_SUFFIX}", digest, remedy="put it back from a copy of the home, no provider sends it twice")
    )
