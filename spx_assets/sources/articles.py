"""Articles as a provider yields them, and the one rule of their three clocks.

Belongs here: the columns of a record on its way to the landing folder, what makes one unreadable, `known_at`. Does not: any
provider's answers, keeping rows (`news_landing`), which records are the same article (`spx_assets.news.identity`).

A provider fills what it knows; `stamped` fills the clocks it left open. Times are UTC; a provider that knows only a date gives
its midnight UTC as `published_at` and "day" as `time_precision`. Where it gives no precision, the midnights of an archive are
dates: that costs the rare article of a true midnight a day, while a date taken for a time is a day of foresight.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import polars as pl

from spx_assets.sources.rows import UTC_US, conform

# `reason` is null for an article, else why the record is none. `line` counts the records of one batch from 0, `raw` is the
# record as it came, JSON wherever the provider speaks JSON.
ARTICLES: dict[str, pl.DataType] = {
    "source": pl.String(),
    "title": pl.String(),
    "body": pl.String(),
    "url": pl.String(),
    "language": pl.String(),
    "published_at": UTC_US,
    "first_seen_at": UTC_US,
    "ingested_at": UTC_US,
    "known_at": UTC_US,
    "time_precision": pl.String(),
    "author": pl.String(),
    "provider_sentiment": pl.Float64(),
    "raw": pl.String(),
    "line": pl.Int64(),
    "reason": pl.String(),
}

MINUTE = "minute"
DAY = "day"
# Clocks of publishers run ahead by minutes and zones are mistaken by hours; a day ahead is no date of a publication.
AHEAD = timedelta(days=1)
_LANGUAGE = re.compile(r"[A-Za-z]{2}")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a provider said to one question: `until` when it is answered, the `cursor` from which to go on.

    `troubles` are the parts of it that failed while others were answered.
    """

    name: str
    rows: pl.DataFrame
    until: datetime | None = None
    cursor: Mapping[str, Any] | None = None
    troubles: tuple[str, ...] = ()


def known_at(*, live: bool) -> pl.Expr:
    """From when a feature may know an article, of columns published_at, first_seen_at, ingested_at, time_precision.

    Live: when it was first seen. A dated archive: its publication, or the first sight the archive itself records if that is
    later. A date without a time, either way: not before 00:00 New York of the next calendar day, nor before that date has
    ended in UTC. Nothing but when it came, where there is neither a publication nor a first sight.
    """
    published, seen = pl.col("published_at"), pl.col("first_seen_at")
    stated = pl.coalesce(seen, pl.col("ingested_at")) if live else pl.max_horizontal(published, seen)
    return pl.coalesce(
        pl.when(pl.col("time_precision") == DAY).then(pl.max_horizontal(stated, day_after(published))).otherwise(stated),
        pl.col("ingested_at"),
    )


def day_after(published: pl.Expr) -> pl.Expr:
    """The first instant at which the calendar date of a midnight in UTC is over in New York and in UTC."""
    next_day = published.dt.convert_time_zone("UTC").dt.truncate("1d") + pl.duration(days=1)
    # Midnight exists on every date of New York: its clock changes at 02:00.
    in_new_york = next_day.dt.replace_time_zone(None).dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")
    return pl.max_horizontal(next_day, in_new_york)


def day_over(day: datetime) -> datetime:
    """`day_after` of one date."""
    over: datetime = pl.select(day_after(pl.lit(day, UTC_US))).item()
    return over


def frame(records: Iterable[Mapping[str, Any]], *, live: bool = False) -> pl.DataFrame:
    """Records as a provider read them, with the columns of ARTICLES, those that are no articles given their reason.

    `live`: they were polled as they appeared, known from then on, so their midnights may be times.
    """
    rows = [{"line": line, **record} for line, record in enumerate(records)]
    if not rows:
        return pl.DataFrame(schema=ARTICLES)
    return judged(conform(pl.DataFrame(rows, schema_overrides=_given(rows), infer_schema_length=None), ARTICLES), live=live)


def judged(rows: pl.DataFrame, *, live: bool = False) -> pl.DataFrame:
    """Rows with text trimmed, `time_precision` and `language` in their forms, and a reason where they say too little.

    Control characters and markup stay: a title is text. What the provider had already refused keeps its reason.
    """
    text = [pl.col(name).str.strip_chars().replace("", None).alias(name) for name in ("source", "title", "body", "url", "author")]
    language = pl.col("language").str.extract(rf"^({_LANGUAGE.pattern})(?:$|[-_])").str.to_lowercase()
    score = pl.col("provider_sentiment")
    # Record by record: were it judged by the others of its source, a later one could change when it was known.
    dated = pl.lit(not live) & (pl.col("published_at").dt.time() == time())
    rows = rows.with_columns(
        *text,
        language=language,
        time_precision=pl.coalesce("time_precision", pl.when(dated).then(pl.lit(DAY)).otherwise(pl.lit(MINUTE))),
        # A score outside its scale says nothing; it stays in the raw record.
        provider_sentiment=pl.when(score.is_finite() & score.is_between(-1.0, 1.0)).then(score),
        raw=pl.coalesce("raw", pl.lit("")),
    )
    reason = (
        pl.when(pl.col("title").is_null())
        .then(pl.lit("no title"))
        .when(pl.col("source").is_null())
        .then(pl.lit("no source"))
        .when(pl.col("published_at").is_null())
        .then(pl.lit("no readable time of publication"))
        .when(~pl.col("time_precision").is_in([MINUTE, DAY]))
        .then(pl.lit("time_precision is neither minute nor day"))
    )
    return rows.with_columns(reason=pl.coalesce("reason", reason))


def stamped(rows: pl.DataFrame, *, live: bool, now: datetime) -> pl.DataFrame:
    """Rows with every clock filled: what the provider left open follows from `now`, when the home got them.

    A record published a day or more after `now` is refused: no publication lies in the future.
    """
    future = pl.col("reason").is_null() & (pl.col("published_at") > now + AHEAD)
    rows = rows.with_columns(
        ingested_at=pl.coalesce("ingested_at", pl.lit(now, UTC_US)),
        reason=pl.when(future).then(pl.lit("published in the future")).otherwise("reason"),
    )
    refused = pl.col("reason").is_not_null()
    # What is refused only needs a place in time: in an archive its publication, where that was readable and has been.
    has_been = pl.lit(not live) & (pl.col("published_at") <= pl.col("ingested_at"))
    place = pl.when(has_been).then("published_at").otherwise("ingested_at")
    known = pl.coalesce(pl.col("known_at"), pl.when(refused).then(place).otherwise(known_at(live=live)))
    return rows.with_columns(known_at=known).with_columns(first_seen_at=pl.coalesce("first_seen_at", "ingested_at"))


def refusal(raw: object, reason: str) -> dict[str, Any]:
    """A record that is no article, as `frame` takes it."""
    return {"raw": raw if isinstance(raw, str) else as_json(raw), "reason": reason}


def parse_time(value: object, form: str) -> datetime | None:
    """A provider's UTC time in the form of `strptime`; None where it is no such time."""
    try:
        return datetime.strptime(value, form).replace(tzinfo=UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def as_text(value: object) -> str | None:
    """A cell of a provider's record as text that UTF-8 can write, None where it is empty."""
    if value is None or value == "":
        return None
    return _SURROGATES.sub("�", value if isinstance(value, str) else str(value))


def as_json(record: object) -> str:
    """The raw record as it is kept: its keys in their order, no character escaped that UTF-8 can write."""
    return _SURROGATES.sub("�", json.dumps(record, ensure_ascii=False, default=str))


def _given(rows: list[dict[str, Any]]) -> dict[str, pl.DataType]:
    names = {name for row in rows for name in row}
    return {name: dtype for name, dtype in ARTICLES.items() if name in names}
