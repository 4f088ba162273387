"""The three clocks of an article, and what a record must say to be one."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest

from spx_assets.sources import articles

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def record(**fields: Any) -> dict[str, Any]:
    return {"source": "Wire", "title": "Stocks rise", "published_at": NOON, **fields}


def known(*records: dict[str, Any], live: bool, now: datetime = NOW) -> list[datetime]:
    return articles.stamped(articles.frame(records), live=live, now=now)["known_at"].to_list()


def test_an_archive_is_known_from_its_publication_and_a_live_article_from_when_it_was_seen() -> None:
    assert known(record(), live=False) == [NOON]
    assert known(record(), live=True) == [NOW]
    assert known(record(first_seen_at=NOON + timedelta(minutes=2)), live=True) == [NOON + timedelta(minutes=2)]


def test_an_archive_that_records_a_first_sight_is_known_from_the_later_of_both_clocks() -> None:
    seen = [NOON + timedelta(minutes=7), NOON - timedelta(minutes=7)]
    assert known(*(record(first_seen_at=at) for at in seen), live=False) == [seen[0], NOON]


def test_a_live_publisher_whose_clock_runs_ahead_is_known_from_when_it_was_seen() -> None:
    row = articles.stamped(articles.frame([record(published_at=NOW + timedelta(minutes=9))]), live=True, now=NOW)
    assert row.select("published_at", "first_seen_at", "known_at").row(0) == (NOW + timedelta(minutes=9), NOW, NOW)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 1, 9, 5, tzinfo=UTC)),
        (datetime(2024, 7, 8, tzinfo=UTC), datetime(2024, 7, 9, 4, tzinfo=UTC)),
        (datetime(2024, 3, 9, tzinfo=UTC), datetime(2024, 3, 10, 5, tzinfo=UTC)),
        (datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 3, 11, 4, tzinfo=UTC)),
        (datetime(2024, 12, 31, tzinfo=UTC), datetime(2025, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_date_without_a_time_is_known_from_the_next_day_of_new_york(day: datetime, expected: datetime) -> None:
    assert known(record(published_at=day, time_precision="day"), live=False) == [expected]
    assert known(record(published_at=day, time_precision="day", first_seen_at=day), live=True) == [expected]


def test_every_date_of_forty_years_is_over_where_it_is_known() -> None:
    days = pl.date_range(date(2000, 1, 1), date(2040, 12, 31), eager=True).alias("date")
    rows = days.to_frame().select("date", published_at=pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    rows = rows.with_columns(known=articles.day_after(pl.col("published_at")))
    local = pl.col("known").dt.convert_time_zone("America/New_York")
    facts = rows.select(
        next_day=(local.dt.date() == pl.col("date") + pl.duration(days=1)).all(),
        midnight=(local.dt.time() == time()).all(),
        over_in_utc=(pl.col("known").dt.date() > pl.col("date")).all(),
    )
    assert facts.row(0) == (True, True, True)


def test_a_date_seen_later_than_its_next_day_is_known_from_then() -> None:
    assert known(record(time_precision="day"), live=True) == [NOW]


def test_a_midnight_of_an_archive_is_a_date_and_of_a_poll_a_time() -> None:
    midnight = {**record(published_at=NOON.replace(hour=0)), "time_precision": None}
    told = [articles.frame([midnight, record()], live=live) for live in (False, True)]
    assert [rows["time_precision"].to_list() for rows in told] == [["day", "minute"], ["minute", "minute"]]
    assert articles.stamped(told[0], live=False, now=NOW)["known_at"].to_list() == [datetime(2024, 3, 9, 5, tzinfo=UTC), NOON]
    assert articles.stamped(told[1], live=True, now=NOON)["known_at"].to_list() == [NOON, NOON]


def test_clocks_that_a_provider_filled_are_kept() -> None:
    said = {"ingested_at": NOON + timedelta(hours=1), "known_at": NOON + timedelta(hours=2)}
    row = articles.stamped(articles.frame([record(**said)]), live=False, now=NOW)
    assert row.select(*said).row(0, named=True) == said


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": " \n"}, "no title"),
        ({"title": None}, "no title"),
        ({"source": ""}, "no source"),
        ({"published_at": None}, "no readable time of publication"),
        ({"time_precision": "week"}, "time_precision is neither minute nor day"),
        ({"published_at": NOW + timedelta(days=2)}, "published in the future"),
        ({"title": None, "reason": "not an object"}, "not an object"),
    ],
)
def test_what_says_too_little_is_refused_and_still_has_a_place_in_time(fields: dict[str, Any], reason: str) -> None:
    row = articles.stamped(articles.frame([record(**fields)]), live=False, now=NOW).row(0, named=True)
    assert row["reason"] == reason
    published = fields.get("published_at", NOON)
    assert row["known_at"] == (published if published is not None and published < NOW else NOW)


def test_markup_and_control_characters_stay_in_a_title() -> None:
    title = "<script>alert('x')</script> S&P\x07 \x1b[31mred\x00 \u202egnip\u202c"
    assert articles.frame([record(title=f"  {title}\n")])["title"].item() == title


def test_what_utf8_cannot_write_is_replaced_not_raised() -> None:
    assert articles.as_text("half \ud83d a pair") == "half � a pair"
    assert articles.as_json({"t": "\ud83d"}) == '{"t": "�"}'


@pytest.mark.parametrize(
    ("given", "kept"), [("en", "en"), ("EN-us", "en"), ("en_GB", "en"), ("English", None), ("", None), (None, None)]
)
def test_languages_are_iso_codes_or_unknown(given: str | None, kept: str | None) -> None:
    assert articles.frame([record(language=given)])["language"].item() == kept


@pytest.mark.parametrize(("given", "kept"), [(0.5, 0.5), (-1.0, -1.0), (1.2, None), (float("nan"), None), (None, None)])
def test_a_score_outside_its_scale_is_unknown(given: float | None, kept: float | None) -> None:
    assert articles.frame([record(provider_sentiment=given)])["provider_sentiment"].item() == kept


def test_no_records_are_an_empty_frame_of_the_contract() -> None:
    assert articles.frame([]).equals(pl.DataFrame(schema=articles.ARTICLES))
    assert articles.stamped(articles.frame([]), live=True, now=NOW).is_empty()
