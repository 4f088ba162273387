"""An index over the landed batches: which records are there, when they were known, of which article they are.

Belongs here: a derived SQLite file in the home's cache, brought up to date from `bronze.news_files` before each question. Does
not: anything that cannot be made again from the landed batches; deleting the file is harmless.

A live provider lands some 35,000 batches a year; to open them all for each poll would take half a minute.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.news import code, identity
from spx_assets.sources import news_batches
from spx_assets.sources.bindings import SIMULATOR

# Part of the file's name, as is the code of an article's identity: raise it when the columns change.
VERSION = "1"
_TABLES = """
CREATE TABLE IF NOT EXISTS batch (position INTEGER PRIMARY KEY, rows_sha256 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS landed (
    position INTEGER NOT NULL, line INTEGER NOT NULL, provider TEXT NOT NULL, known_us INTEGER NOT NULL,
    published_us INTEGER, record TEXT NOT NULL, article TEXT, PRIMARY KEY (position, line)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS landed_known ON landed (known_us);
CREATE INDEX IF NOT EXISTS landed_record ON landed (provider, record);
CREATE INDEX IF NOT EXISTS landed_article ON landed (article, known_us) WHERE article IS NOT NULL;
"""
# `:last` is the newest batch that counts, `:unheard` a provider that does not, [:start, :end) the window asked about, `:before`
# the start of the hours before it.
_KNOWN = (
    "SELECT record FROM landed WHERE provider = :provider AND position <= :last AND record IN (SELECT value FROM json_each(:of))"
)
_TOLD = """
SELECT article, published_us, known_us FROM landed WHERE position <= :last AND article IN (SELECT value FROM json_each(:of))
"""
_EARLIER = """
SELECT position, line FROM landed WHERE known_us < :start AND position <= :last AND provider <> :unheard AND article IN (
    SELECT article FROM landed WHERE article IS NOT NULL AND position <= :last AND provider <> :unheard
        AND known_us >= :start AND known_us < :end
) ORDER BY position, line
"""
_LINES = """
WITH inside AS (
    SELECT position, line, article FROM landed
    WHERE position <= :last AND provider <> :unheard AND known_us >= :start AND known_us < :end
),
told AS (SELECT article FROM inside WHERE article IS NOT NULL),
needed AS (
    SELECT position, line FROM inside
    UNION SELECT position, line FROM landed WHERE known_us < :start AND position <= :last AND provider <> :unheard
        AND article IN (SELECT article FROM told)
    UNION SELECT position, line FROM landed WHERE known_us >= :before AND known_us < :start AND position <= :last
        AND provider <> :unheard AND article IS NOT NULL AND EXISTS (SELECT 1 FROM told)
)
SELECT rows_sha256, line FROM needed JOIN batch USING (position) ORDER BY position, line
"""
_NEXT = """
SELECT known_us FROM landed WHERE position <= :last AND provider <> :unheard AND known_us >= :start ORDER BY known_us LIMIT 1
"""


class Index:
    """The index of one home. Every question names the batches it is about, as `bronze.news_files` lists them."""

    def __init__(self, lake: Lake) -> None:
        self._landing = lake.settings.landing
        self._whole: int | None = None
        self._path = lake.settings.home / "cache" / f"news-index-{VERSION}-{code.identity()}.db"

    def known(self, files: pl.DataFrame, provider: str, records: Sequence[str]) -> set[str]:
        """Those of the record digests that the provider has delivered before."""
        rows = self._ask(_KNOWN, files, provider=provider, of=json.dumps(list(records)))
        return {record for (record,) in rows}

    def told(self, files: pl.DataFrame, articles: Sequence[str]) -> pl.DataFrame:
        """(article, published_at, known_at) of every record landed of the articles."""
        rows = self._ask(_TOLD, files, of=json.dumps(list(articles)))
        found = pl.DataFrame(rows, schema={"article": pl.String, "published_at": pl.Int64, "known_at": pl.Int64}, orient="row")
        return found.with_columns(pl.from_epoch(name, "us").dt.replace_time_zone("UTC") for name in ("published_at", "known_at"))

    def earlier(self, files: pl.DataFrame, start: datetime, end: datetime) -> dict[int, list[int]]:
        """Per batch, the lines known before `start` of the articles known in [start, end)."""
        found: dict[int, list[int]] = {}
        for position, line in self._ask(_EARLIER, files, start=_us(start), end=_us(end)):
            found.setdefault(position, []).append(line)
        return found

    def lines(self, files: pl.DataFrame, start: datetime, end: datetime, *, before: timedelta) -> list[tuple[str, int]]:
        """(batch digest, line) of all that the articles of [start, end) depend on, in order of arrival.

        Rows of the window, earlier wordings of its articles and, if it has any, the articles of `before` it.
        """
        return self._ask(_LINES, files, start=_us(start), end=_us(end), before=_us(start - before))

    def weeks(self, files: pl.DataFrame) -> list[date]:
        """Trading weeks in which some row of the batches was known, in order."""
        found: list[date] = []
        at = -(2**62)
        # From week to week: a look at every row would take longer every year.
        while rows := self._ask(_NEXT, files, start=at):
            found.append(calendar.week_of(_at(rows[0][0])))
            at = _us(calendar.week_window(found[-1])[1])
        return found

    def _ask(self, question: str, files: pl.DataFrame, **values: object) -> list[Any]:
        with self._open(files) as database:
            unheard = "" if (files["provider"] == SIMULATOR).any() else SIMULATOR
            return database.execute(question, {"last": _last(files), "unheard": unheard, **values}).fetchall()

    @contextmanager
    def _open(self, files: pl.DataFrame) -> Iterator[sqlite3.Connection]:
        """The database with every batch of `files` in it. A connection of its own for each question: safe after a fork."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=60.0, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            # A commit lost with the power is made again from the batches.
            database.execute("PRAGMA synchronous=NORMAL")
            if self._whole is None or self._whole < _last(files):
                if missing := self._missing(database, files):
                    self._transaction(database, lambda: self._add(database, files, missing))
                self._whole = _last(files)
            yield database

    def _missing(self, database: sqlite3.Connection, files: pl.DataFrame) -> list[int]:
        """Positions of `files` that the index lacks or has from another lake; in it is none where there is no table yet."""
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'landed_article'").fetchone():
            self._transaction(database, lambda: [database.execute(text) for text in _TABLES.split(";") if text.strip()])
        held = dict(database.execute("SELECT position, rows_sha256 FROM batch"))
        listed = files.select("position", "rows_sha256").iter_rows()
        return [position for position, digest in listed if held.get(position) != digest]

    def _add(self, database: sqlite3.Connection, files: pl.DataFrame, missing: Sequence[int]) -> None:
        for file in files.filter(pl.col("position").is_in(missing)).iter_rows(named=True):
            position, digest = file["position"], file["rows_sha256"]
            rows = news_batches.read(self._landing, digest).collect()
            articles = identity.article_ids(rows).set(rows["reason"].is_not_null(), None)
            database.execute("DELETE FROM landed WHERE position = ?", (position,))
            database.executemany(
                "INSERT INTO landed VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (position, line, file["provider"], known, published, record, article)
                    for line, known, published, record, article in zip(
                        rows["line"],
                        rows["known_at"].dt.epoch("us"),
                        rows["published_at"].dt.epoch("us"),
                        rows["record"],
                        articles,
                        strict=True,
                    )
                ),
            )
            database.execute("INSERT OR REPLACE INTO batch VALUES (?, ?)", (position, digest))

    @staticmethod
    def _transaction(database: sqlite3.Connection, work: Callable[[], object]) -> None:
        database.execute("BEGIN IMMEDIATE")
        try:
            work()
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")


def _last(files: pl.DataFrame) -> int:
    """Positions are given in order, so an older snapshot lists the first of them."""
    last = files["position"].max()
    return last if isinstance(last, int) else -1


def _us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _at(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
