"""Which records are the same article, which of its wordings are new, and which articles tell one story.

Belongs here: article ids, revisions, links to the first telling; from landed records to rows of bronze.news. Does not: addresses
(`addresses`), comparing titles (`stories`), reading the landing folder (`bronze`).

An article is its canonical address or, without one, its normalised title and its source. Of its records in the order in which
they could be known, those count that say something new: another title is the next revision, at its own time, and so is another
body from who had given one under that title, or the first from who was the first to tell it. What another provider adds to a
title, a summary of its own, says nothing new, nor does a record that only lacks the body; the same title of the same source, of
another day and without an address, does: columns run under one title every week. A wording that comes back after a correction
is no third revision: the same record is landed once, and a provider that is slow to hear of the correction repeats it, too.

An article is the duplicate of the earliest other one that was told, not long before, under a like title. Not only first
wordings count as told: whatever was delivered does. So each row follows from the records of its own article and of the hours
before it alone, and weeks made in any order hold the same rows.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

import polars as pl

from spx_assets.lake.news_tables import NEWS
from spx_assets.news import addresses, stories, titles

# The order in which records could be known; where that is the same, in which they came.
_ORDER = ("known_at", "position", "line")
# First letter of an article id: what the digest after it is of.
ADDRESSED, TITLED = "a", "t"


def article_ids(rows: pl.DataFrame) -> pl.Series:
    """The article id of each record, from its url, title and source; null where it has no title."""
    known = rows.select("url", "source", normal=titles.normal(pl.col("title")))
    ids = known.unique().select(
        "url",
        "source",
        "normal",
        article_id=pl.struct("url", "source", "normal").map_elements(_article_id, return_dtype=pl.String, skip_nulls=False),
    )
    return known.join(ids, on=["url", "source", "normal"], how="left", nulls_equal=True, maintain_order="left")["article_id"]


def _article_id(row: dict[str, str | None]) -> str | None:
    address = addresses.canonical(row["url"])
    if row["normal"] is None:
        return None
    kind, said = (ADDRESSED, address) if address else (TITLED, f"{row['normal']}\0{(row['source'] or '').lower()}")
    return kind + blake2b(said.encode(), digest_size=16).hexdigest()


def identified(rows: pl.DataFrame) -> pl.DataFrame:
    """The records with their article ids."""
    return rows.with_columns(article_ids(rows))


def resolve(rows: pl.DataFrame, *, start: datetime, end: datetime, hours: float, score: float) -> pl.DataFrame:
    """Rows of bronze.news known in [start, end), in key order.

    `rows` are good records with article_id, provider, position and line: all known from `hours` before `start` until `end`, and
    every earlier record of the articles of [start, end). More of them change nothing.
    """
    inside = pl.col("known_at").is_between(start, end, closed="left")
    told = rows.filter(pl.col("known_at") < end).sort(_ORDER).with_row_index("row")
    told = told.with_columns(first_known_at=pl.col("known_at").min().over("article_id"))
    kept = revisions(told).filter(inside)
    near = told.filter(pl.col("known_at") >= start - timedelta(hours=hours))
    links = stories.first_tellings(kept, near, hours=hours, score=score)
    found = kept.join(links, on="row", how="left")
    return found.select(*NEWS.schema()).cast(NEWS.schema()).sort(NEWS.key)  # type: ignore[arg-type]


def revisions(told: pl.DataFrame) -> pl.DataFrame:
    """Of records in the order they were known, those that say something new of their article, with their `revision`."""
    day = pl.when(pl.col("article_id").str.starts_with(TITLED)).then(pl.col("published_at").dt.date())
    worded = told.with_columns(_title=titles.wording(pl.col("title")), _body=titles.wording(pl.col("body")), _day=day)
    titled = ["article_id", "_title", "_day"]
    said = worded.unique([*titled, "provider", "_body"], keep="first", maintain_order=True)
    bodied = pl.col("_body").is_not_null()
    first = pl.int_range(pl.len()).over(titled) == 0
    tells = pl.col("provider") == pl.col("provider").first().over(titled)
    again = bodied.cum_sum().over([*titled, "provider"]) > 1
    new = said.filter(first | (bodied & (tells | again))).unique([*titled, "_body"], keep="first", maintain_order=True)
    return new.with_columns(revision=pl.int_range(pl.len()).over("article_id")).drop("_title", "_body", "_day")
