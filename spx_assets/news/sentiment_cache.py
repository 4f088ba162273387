"""Scores already made, by model and text: what was scored once is never scored again.

Belongs here: a SQLite file in the home's cache, and scoring what it lacks. Does not: models (`sentiment`), the text of an article
(`texts`), rows of a table.

Several processes may use it at a time. Where two score the same text, both take what the first of them wrote: a model in bf16
rounds by its batch, and a week made again must hold the numbers of the week before it. So deleting the file costs more than
scoring again where such a model scores: weeks made later round otherwise than those that are stored. The embedded scorer and
float32 give the same scores again, float32 to its last digits.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from spx_assets import SpxError
from spx_assets.news import model_version, sentiment
from spx_assets.news.sentiment import Scorer
from spx_assets.news.texts import digest
from spx_assets.settings import Settings

SCORES = {"text_hash": pl.String(), "negative": pl.Float64(), "neutral": pl.Float64(), "positive": pl.Float64()}
# Texts scored between two commits: a run that is stopped loses at most so many, five seconds of the embedded scorer.
_TOGETHER = 4096
_TABLES = (
    "CREATE TABLE IF NOT EXISTS model (version TEXT PRIMARY KEY, model_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS score (model_id TEXT NOT NULL, text_hash TEXT NOT NULL, negative REAL NOT NULL, "
    "neutral REAL NOT NULL, positive REAL NOT NULL, PRIMARY KEY (model_id, text_hash)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS unused (model_id TEXT NOT NULL, text_hash TEXT NOT NULL, since REAL NOT NULL, "
    "PRIMARY KEY (model_id, text_hash)) WITHOUT ROWID",
)
_FORGET = (
    "DELETE FROM unused WHERE model_id = :model_id AND text_hash IN (SELECT text_hash FROM temp.held)",
    "INSERT OR IGNORE INTO unused SELECT model_id, text_hash, :now FROM score "
    "WHERE model_id <> :model_id OR text_hash NOT IN (SELECT text_hash FROM temp.held)",
    "DELETE FROM score WHERE EXISTS (SELECT 1 FROM unused AS old WHERE old.model_id = score.model_id "
    "AND old.text_hash = score.text_hash AND old.since <= :edge)",
    "DELETE FROM unused WHERE since <= :edge",
    "DELETE FROM model WHERE model_id <> :model_id AND model_id NOT IN (SELECT model_id FROM score)",
)
_READ = (
    "SELECT text_hash, negative, neutral, positive FROM score "
    "WHERE model_id = ? AND text_hash IN (SELECT value FROM json_each(?))"
)


class SentimentCacheError(SpxError):
    """The file of scores cannot be read."""


class SentimentCache:
    """The scores of one home."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def model_id(self, version: str | None) -> str | None:
        """The id of the model that was loaded from these files before."""
        with self._open() as database:
            row = database.execute("SELECT model_id FROM model WHERE version = ?", (version,)).fetchone()
        return str(row[0]) if row else None

    def remember(self, version: str | None, model_id: str) -> None:
        """Note that these files are that model; nothing where it is not known which files were loaded."""
        if version is not None:
            with self._open() as database:
                database.execute("INSERT OR REPLACE INTO model VALUES (?, ?)", (version, model_id))

    def read(self, model_id: str, hashes: Sequence[str]) -> pl.DataFrame:
        """The scores there are, columns SCORES."""
        with self._open() as database:
            rows = database.execute(_READ, (model_id, json.dumps(list(hashes)))).fetchall()
        return pl.DataFrame(rows, schema=SCORES, orient="row")

    def add(self, model_id: str, scores: pl.DataFrame) -> None:
        """Keep scores (columns SCORES); those of a text that has some stay as they are."""
        rows = [(model_id, *row) for row in scores.select(*SCORES).iter_rows()]
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR IGNORE INTO score VALUES (?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")

    def forget(self, model_id: str, hashes: Sequence[str], *, now: datetime, older_than: timedelta) -> int:
        """How many scores were dropped: those that for `older_than` were neither of this model nor of one of these texts.

        A score's time counts from the first call that found it unused and starts anew once it was used again, so what a run
        under way has just scored, and what a change of mind about the model would want back, is not lost at once.
        """
        values = {"model_id": model_id, "now": now.timestamp(), "edge": (now - older_than).timestamp()}
        with self._open() as database:
            database.execute("CREATE TEMP TABLE held (text_hash TEXT PRIMARY KEY) WITHOUT ROWID")
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR IGNORE INTO temp.held VALUES (?)", ((text_hash,) for text_hash in hashes))
            dropped = [database.execute(each, values).rowcount for each in _FORGET]
            database.execute("COMMIT")
        return dropped[2]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for each question: safe after a fork."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=60.0, isolation_level=None)) as database:
            try:
                database.execute("PRAGMA journal_mode=WAL")
                # A commit lost with the power is scored again.
                database.execute("PRAGMA synchronous=NORMAL")
                for table in _TABLES:
                    database.execute(table)
                yield database
            except sqlite3.DatabaseError as error:
                raise SentimentCacheError(
                    f"{self._path} cannot be used: {error}; if it is damaged delete it, its texts are then scored again"
                ) from error


def path(settings: Settings) -> Path:
    return settings.home / "cache" / "sentiment.db"


def scores(settings: Settings, texts: Sequence[str], *, load: Callable[[], Scorer] | None = None) -> tuple[str, pl.DataFrame]:
    """(model id, scores with columns SCORES, one row a different text) by the model that `settings` name.

    The model is loaded, by `load` if given, only if one of the texts has no score.
    """
    cache = SentimentCache(path(settings))
    wanted = {digest(text): text for text in texts}
    version = model_version.version(settings.news)
    model_id = cache.model_id(version)
    found = cache.read(model_id, list(wanted)) if model_id is not None else pl.DataFrame(schema=SCORES)
    if model_id is not None and found.height == len(wanted):
        return model_id, found
    scorer = load() if load else sentiment.load(settings.news.model, settings.news)
    # A hub model is fetched by loading it: only now its files are known.
    cache.remember(model_version.version(settings.news), scorer.model_id)
    held = set(cache.read(scorer.model_id, list(wanted))["text_hash"])
    missing = [text_hash for text_hash in wanted if text_hash not in held]
    for i in range(0, len(missing), _TOGETHER):
        some = missing[i : i + _TOGETHER]
        made = scorer.score([wanted[text_hash] for text_hash in some])
        cache.add(scorer.model_id, made.with_columns(text_hash=pl.Series(some)))
    return scorer.model_id, cache.read(scorer.model_id, list(wanted))
