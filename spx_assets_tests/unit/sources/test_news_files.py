"""Files of articles: what is read from each kind, and what is refused."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets.news import identity
from spx_assets.sources import articles, news_files
from spx_assets.sources.errors import ColumnsError, FileUnreadableError, TimeZoneError

AT = datetime(2024, 1, 8, 15, 30, tzinfo=UTC)
NEWSAPI = {
    "source": {"id": None, "name": "The Wire"},
    "author": "A. Writer",
    "title": "Stocks rise",
    "description": "They did.",
    "url": "https://wire.example/1",
    "publishedAt": "2024-01-08T15:30:00Z",
}


def put(folder: Path, name: str, held: object) -> Path:
    path = folder / name
    path.write_text(held if isinstance(held, str) else json.dumps(held))
    return path


@pytest.mark.parametrize("held", [[NEWSAPI], {"status": "ok", "articles": [NEWSAPI]}, NEWSAPI])
def test_json_is_a_list_an_object_that_holds_one_or_one_article(tmp_path: Path, held: object) -> None:
    row = news_files.read(put(tmp_path, "a.json", held)).row(0, named=True)
    said = ("The Wire", "A. Writer", "Stocks rise", "They did.", "https://wire.example/1", AT, "minute", None)
    assert tuple(row[n] for n in ("source", "author", "title", "body", "url", "published_at", "time_precision", "reason")) == said
    assert json.loads(row["raw"]) == NEWSAPI


def test_a_damaged_line_is_one_refused_record(tmp_path: Path) -> None:
    lines = ["\ufeff" + json.dumps(NEWSAPI), '{"title": "cut', "", "[1]", json.dumps({**NEWSAPI, "title": "S\u0007<b>"})]
    for name in ("a.ndjson", "a.jsonl", "a.json"):
        rows = news_files.read(put(tmp_path, name, "\n".join(lines)))
        assert rows["reason"].to_list() == [None, "not JSON", "not an object", None]
        assert rows["raw"][1] == '{"title": "cut'
        assert rows["title"][3] == "S\u0007<b>"


def test_parquet_with_columns_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"Head Line": ["A"], "When": [AT], "Paper": ["P"]}).write_parquet(path)
    with pytest.raises(ColumnsError, match="no column for published_at among Head Line, When, Paper; name it with --column"):
        news_files.read(path)
    rows = news_files.read(path, columns={"published_at": "When", "source": "Paper"})
    assert rows.select("title", "published_at", "source").row(0) == ("A", AT, "P")
    with pytest.raises(ColumnsError, match="has no column Where; it has Head Line"):
        news_files.read(path, columns={"published_at": "Where"})
    with pytest.raises(ColumnsError, match="an article has no colour"):
        news_files.read(path, columns={"colour": "When"})


def test_times_without_a_zone_need_one(tmp_path: Path) -> None:
    path = put(tmp_path, "a.json", [{**NEWSAPI, "publishedAt": "2024-01-08 10:30:00"}])
    assert news_files.read(path)["reason"].to_list() == ["its time of publication has no zone; give --tz"]
    assert news_files.read(path, tz="America/New_York")["published_at"].to_list() == [AT]
    with pytest.raises(TimeZoneError):
        news_files.read(path, tz="Mars/Olympus")


@pytest.mark.parametrize(
    ("fields", "published", "precision"),
    [
        ({"publishedAt": "2024-01-08"}, AT.replace(hour=0, minute=0), "day"),
        ({"publishedAt": "2024-01-08T15:30:00Z", "ts_precision": "day"}, AT.replace(hour=0, minute=0), "day"),
        ({"publishedAt": "2024-01-08T15:30:00Z", "time_precision": "Date"}, AT.replace(hour=0, minute=0), "day"),
        ({"publishedAt": "2024-01-08T15:30:00Z", "time_precision": "second"}, AT, "minute"),
        ({"publishedAt": "2024-01-08", "time_precision": "minute"}, AT.replace(hour=0, minute=0), "day"),
        ({"publishedAt": "2024-01-08T00:00:00Z", "time_precision": "second"}, AT.replace(hour=0, minute=0), "day"),
        ({"publishedAt": "2024-01-08T21:30:00-05:00", "ts_precision": "day"}, AT.replace(hour=0, minute=0), "day"),
        ({"publishedAt": "2024-01-07T19:00:00-05:00"}, AT.replace(hour=0, minute=0), "minute"),
    ],
)
def test_a_file_says_where_it_knows_only_dates(
    tmp_path: Path, fields: dict[str, str], published: datetime, precision: str
) -> None:
    rows = news_files.read(put(tmp_path, "a.json", [{**NEWSAPI, **fields}]))
    assert rows.select("published_at", "time_precision").row(0) == (published, precision)


def test_a_midnight_is_a_date_whatever_else_its_source_says(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    stamps = [datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 1, 9, tzinfo=UTC), AT, datetime(2024, 1, 8, tzinfo=UTC)]
    pl.DataFrame({"title": list("abcd"), "source": ["P", "P", "Q", "Q"], "ts": stamps}).write_parquet(path)
    assert news_files.read(path)["time_precision"].to_list() == ["day", "day", "minute", "day"]
    pl.DataFrame({"title": ["a"], "source": ["P"], "date": [date(2024, 1, 8)]}).write_parquet(path)
    assert news_files.read(path).select("published_at", "time_precision").row(0) == (stamps[0], "day")


def test_a_midnight_of_new_york_is_a_date_of_new_york(tmp_path: Path) -> None:
    path = put(tmp_path, "a.json", [{**NEWSAPI, "publishedAt": f"2024-01-08 {time}"} for time in ("00:00:00", "00:00:01")])
    rows = news_files.read(path, tz="America/New_York").select("published_at", "time_precision")
    assert rows.rows() == [(datetime(2024, 1, 8, tzinfo=UTC), "day"), (datetime(2024, 1, 8, 5, 0, 1, tzinfo=UTC), "minute")]


def test_what_was_first_seen_on_a_date_was_seen_by_its_end(tmp_path: Path) -> None:
    for seen in ("2024-01-09", "2024-01-09T00:00:00Z"):
        (row,) = news_files.read(put(tmp_path, "a.json", [{**NEWSAPI, "first_seen_at": seen}])).iter_rows(named=True)
        assert (row["first_seen_at"], row["published_at"]) == (datetime(2024, 1, 10, 5, tzinfo=UTC), AT)


_STAMPS = st.builds(
    lambda day, time, zone: f"2024-01-{day:02}{time}{zone if time else ''}",
    st.integers(8, 11),
    st.sampled_from(["", "T00:00:00", "T00:00:01", "T05:00:00", "T19:00:00"]),
    st.sampled_from(["Z", "-05:00", "+09:00"]),
)


@settings(max_examples=25, deadline=None)
@given(stamps=st.lists(_STAMPS, min_size=1, max_size=6), planted=_STAMPS, place=st.integers(0, 6), precision=st.booleans())
def test_a_record_planted_in_a_file_changes_no_row_known_before_it(
    tmp_path_factory: pytest.TempPathFactory, stamps: list[str], planted: str, place: int, precision: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()

    def known(records: list[dict[str, Any]]) -> pl.DataFrame:
        rows = articles.stamped(news_files.read(put(folder, "a.json", records)), live=False, now=datetime(2026, 1, 1, tzinfo=UTC))
        rows = identity.identified(rows.with_columns(provider=pl.lit("files"), position=pl.lit(0)))
        window = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
        return identity.resolve(rows, start=window[0], end=window[1], hours=48.0, score=90.0)

    held = [{"title": f"Story {n}", "source": "Wire", "publishedAt": stamp} for n, stamp in enumerate(stamps)]
    plant = {"title": "Planted", "source": "Wire", "publishedAt": planted, **({"precision": "day"} if precision else {})}
    after = known([*held[:place], plant, *held[place:]])
    (at,) = after.filter(pl.col("title") == "Planted")["known_at"]
    assert known(held).filter(pl.col("known_at") < at).equals(after.filter(pl.col("known_at") < at))


@pytest.mark.parametrize(
    ("name", "held", "says"),
    [
        ("a.json", '[{"title": "A"', "it may have been cut short"),
        ("a.json", "<html></html>", "is no JSON"),
        ("a.json", "7", "holds no list"),
        ("a.parquet", "PAR1 and no more", "is damaged"),
        ("a.csv", "title,date", "convert it"),
    ],
)
def test_a_file_that_is_none_is_one_error_with_its_remedy(tmp_path: Path, name: str, held: str, says: str) -> None:
    with pytest.raises(FileUnreadableError, match=says):
        news_files.read(put(tmp_path, name, held))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("no.json", "no.parquet"):
        with pytest.raises(FileUnreadableError, match=f"{name} cannot be read"):
            news_files.read(tmp_path / name)


def test_an_empty_list_is_no_record(tmp_path: Path) -> None:
    assert news_files.read(put(tmp_path, "a.json", "[]")).is_empty()


@pytest.mark.parametrize(
    ("name", "rows", "refused", "dates", "first"),
    [
        ("news/finnhub_aapl_2021_06.parquet", 133, 0, 0, datetime(2021, 6, 1, 1, 58, 26, tzinfo=UTC)),
        ("api_samples/alphavantage/news_sentiment_AAPL_2025-01.json", 48, 0, 0, datetime(2025, 1, 31, 9, 15, tzinfo=UTC)),
    ],
)
def test_real_files(shared_data: Path, name: str, rows: int, refused: int, dates: int, first: datetime) -> None:
    found = news_files.read(shared_data / name)
    facts: tuple[Any, ...] = (
        found.height,
        found["reason"].count(),
        found.filter(pl.col("time_precision") == "day").height,
        found["published_at"].min(),
    )
    assert facts == (rows, refused, dates, first)
