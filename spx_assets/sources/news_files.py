"""Files of articles: JSON, JSON lines, Parquet, with the column names that providers and data sets use.

Belongs here: from a file to records, all of them, unreadable ones with the reason. Does not: landing them (`news`).

JSON is a list of objects or an object that holds one (`articles`, `feed`, ...). A line of JSON lines that cannot be read is one
refused record. A record says day where its file has a column for it or its own stamp is a date or a midnight (`news_times`).
"""

import io
import json
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from spx_assets.sources import articles, news_times, stamps
from spx_assets.sources.articles import DAY, MINUTE, as_json, as_text
from spx_assets.sources.errors import ColumnsError, FileAccessError, FileUnreadableError

# Field by field, the names it goes by, best first; upper case, spaces and underscores do not count.
NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "headline", "news_title"),
    "body": ("body", "content", "text", "article", "summary", "description", "abstract"),
    "url": ("url", "link", "article_url", "web_url", "web_link"),
    "source": ("source", "publisher", "source_name", "source_domain", "domain", "site", "provider"),
    "published_at": (
        "published_at",
        "published",
        "time_published",
        "publication_date",
        "pub_date",
        "date_published",
        "datetime",
        "timestamp",
        "ts",
        "date",
        "time",
        "created_at",
        "seendate",
    ),
    "first_seen_at": ("first_seen_at", "first_seen", "seen_at", "seendate"),
    "time_precision": ("time_precision", "ts_precision", "precision"),
    "language": ("language", "lang"),
    "author": ("author", "authors", "byline", "creator"),
    "provider_sentiment": ("provider_sentiment", "overall_sentiment_score", "sentiment_score", "sentiment", "polarity"),
}
_PRECISIONS = {"day": DAY, "date": DAY, "minute": MINUTE, "second": MINUTE, "millisecond": MINUTE}
_LISTS = ("articles", "feed", "news", "data", "items", "results", "docs")
_NDJSON = (".ndjson", ".jsonl")


def read(path: Path, *, columns: Mapping[str, str] | None = None, tz: str | None = None) -> pl.DataFrame:
    """Every record of a file, columns ARTICLES. `columns` names the file's column of a field, `tz` the zone of times without one.

    FileUnreadableError for a file that is none of the three kinds or damaged, FileAccessError where the machine did not give it,
    ColumnsError where no column holds titles or times.
    """
    zone = ZoneInfo(stamps.zone(tz)) if tz else None
    if unknown := sorted(set(columns or {}) - set(NAMES)):
        raise ColumnsError(f"an article has no {', '.join(unknown)}; name the column of one of {', '.join(NAMES)}")
    given = list(_records(path))
    found = _fields(path, [record for record in given if isinstance(record, dict)], columns or {})
    return articles.frame(_record(record, found, zone) for record in given)


def _records(path: Path) -> Iterator[Any]:
    """The file's records: objects, or for what is none the text that stands in its place."""
    kind = path.suffix.lower()
    if kind not in (".parquet", ".json", *_NDJSON):
        raise FileUnreadableError(f"{path.name} is no .json, .ndjson, .jsonl or .parquet file; convert it to one of them")
    try:
        # Read whole before anything is parsed, so that trouble of the machine is told from damage of the file.
        data = path.read_bytes()
    except OSError as error:
        said = error.strerror or error
        raise FileAccessError(f"{path.name} cannot be read: {said}; check the path and its permissions") from error
    try:
        if kind == ".parquet":
            for part in pl.read_parquet(io.BytesIO(data)).iter_slices(10_000):
                yield from part.iter_rows(named=True)
        else:
            yield from _lines(data) if kind in _NDJSON else _json(path, data)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise FileUnreadableError(f"{path.name} is damaged: {str(error).splitlines()[0]}; write it again") from error


def _json(path: Path, data: bytes) -> Iterator[Any]:
    try:
        held = json.loads(data.decode("utf-8-sig"), strict=False)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            # JSON lines under the name of JSON.
            yield from _lines(data)
            return
        raise FileUnreadableError(f"{path.name} is no JSON ({error}); it may have been cut short, write it again") from error
    except RecursionError as error:
        raise FileUnreadableError(f"{path.name} is nested deeper than any list of articles; write a JSON list") from error
    if isinstance(held, dict):
        held = next((held[name] for name in _LISTS if isinstance(held.get(name), list)), [held])
    if not isinstance(held, list):
        raise FileUnreadableError(f"{path.name} holds no list of articles; write a JSON list of objects")
    yield from held


def _lines(data: bytes) -> Iterator[Any]:
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        text = line.decode("utf-8", "replace").strip()
        if text:
            try:
                yield json.loads(text, strict=False)
            except (json.JSONDecodeError, RecursionError):
                yield text


def _fields(path: Path, records: list[dict[str, Any]], columns: Mapping[str, str]) -> dict[str, list[str]]:
    """The file's names of each field, best first. Records may differ, so each is asked for all of them."""
    known = dict.fromkeys(name for record in records for name in record)
    folded: dict[str, list[str]] = {}
    for name in known:
        folded.setdefault(_fold(name), []).append(name)
    if missing := sorted(name for name in columns.values() if name not in known and records):
        raise ColumnsError(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(known)}")
    found = {
        field: [columns[field]] if field in columns else [own for name in names for own in folded.get(_fold(name), [])]
        for field, names in NAMES.items()
    }
    for field in ("title", "published_at"):
        if not found[field] and records:
            raise ColumnsError(
                f"{path.name} has no column for {field} among {', '.join(known)}; name it with --column {field}=..."
            )
    return found


def _record(record: Any, fields: Mapping[str, list[str]], zone: tzinfo | None) -> dict[str, Any]:
    if not isinstance(record, dict):
        return articles.refusal(record, "not an object" if not isinstance(record, str) else "not JSON")
    cells = {
        field: next((record[name] for name in names if record.get(name) not in (None, "")), None)
        for field, names in fields.items()
    }
    said = _PRECISIONS.get(str(cells["time_precision"]).strip().lower(), cells["time_precision"])
    published = news_times.read(cells["published_at"], zone=zone, day=said == DAY)
    seen = news_times.read(cells["first_seen_at"], zone=zone)
    score = cells["provider_sentiment"]
    return {
        **{field: as_text(_named(cells[field])) for field in ("source", "title", "body", "url", "language", "author")},
        "published_at": published.at,
        # Seen on a date is seen by its end.
        "first_seen_at": articles.day_over(seen.at) if seen.at and seen.precision == DAY else seen.at,
        "time_precision": published.precision if said in (None, MINUTE) else as_text(said),
        "provider_sentiment": float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
        "raw": as_json(record),
        "reason": published.reason,
    }


def _named(cell: Any) -> Any:
    """NewsAPI gives a source as {id, name}, others give authors as a list."""
    if isinstance(cell, dict):
        return cell.get("name") or cell.get("title") or cell.get("id")
    return ", ".join(str(_named(part)) for part in cell) if isinstance(cell, list) else cell


def _fold(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
