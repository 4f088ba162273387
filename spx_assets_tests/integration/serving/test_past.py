"""A timestamp in the past is answered as it was answered then, whatever came to be known since."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from serving.problems import BadRequest, FutureTimestamp, MarketClosed, NoModelAt, Problem, StaleFeatures, WarmingUp
from serving.service import Service
from spx_assets import calendar
from spx_assets.features import as_of, batch
from spx_assets.features.online import NoBarsError
from spx_assets.lake import Chunk, Chunks, Lake
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.pasts import AT, END, asked, at, rebind, said, settings
from spx_assets_tests.unit.serving.test_requests import wanted

__all__ = ["settings"]


def test_a_past_time_is_answered_as_it_was_then_to_the_bit(settings: Settings) -> None:
    then = at(settings, AT).predict(wanted())
    assert (then.timestamp, then.feature_age_s) == (datetime(2025, 10, 15, 14, 29, tzinfo=UTC), 20.0)
    homes.model(settings, version="20251015T160000Z-0001", training_cutoff=END, bias=5.0)
    now = asked(settings, AT)
    assert said(now) == said(then)
    assert (now.features_source, now.alias, then.features_source, then.alias) == ("lake", "walk_forward", "online", "champion")
    named = asked(settings, AT, model_version="20251015T160000Z-0001")
    assert named.in_sample is True
    assert named.expected_return_bp == pytest.approx(then.expected_return_bp + 5.0, abs=1e-4)
    earlier = asked(settings, AT, model_version="20251013T160000Z-0001")
    assert (earlier.in_sample, earlier.alias, said(earlier)) == (False, "version", said(then))


def test_who_was_served_then_answers_and_not_who_was_trained_last(settings: Settings) -> None:
    homes.model(settings, version="20251014T160000Z-0001", training_cutoff=AT - timedelta(hours=20), bias=1.0)
    served = "20251013T160000Z-0001"
    lake = Lake.open(settings)
    contract = dict.fromkeys(lake.read("models.promotions").schema)
    row = contract | {
        "model_name": "spx500_h30",
        "week": date(2025, 10, 12),
        "decided_at": AT,
        "effective_at": AT - timedelta(hours=40),
        "family": "lightgbm",
        "version": served,
        "verdict": "promoted",
        "reason": "promoted",
        "direction_ok": True,
        "return_ok": True,
        "moves_current": True,
        "champion_after": served,
        "served": served,
        "rank": 1,
        "tests": 1,
    }
    assert asked(settings, AT).model_version == "20251014T160000Z-0001"
    lake.write(append={"models.promotions": pl.DataFrame([row], schema=lake.read("models.promotions").schema)}, records={})
    assert asked(settings, AT).model_version == served
    assert asked(settings, AT - timedelta(hours=47)).model_version == served  # served to nobody yet: the newest trained before


def plant(lake: Lake, frame: pl.DataFrame, week: date, *, bar: datetime, known_at: datetime | None) -> None:
    """Candles of a week whose bar at `bar` was known at another time, and cost double; without it where `known_at` is None."""
    own = pl.col("ts") == bar
    if known_at is None:
        frame = frame.filter(~own)
    else:
        prices = [pl.when(own).then(pl.col(name) * 2).otherwise(pl.col(name)) for name in ("open", "high", "low", "close")]
        late = pl.when(own).then(pl.lit(known_at, dtype=pl.Datetime("us", "UTC"))).otherwise(pl.col("known_at"))
        frame = frame.with_columns(*prices, known_at=late)
    homes.commit(lake, "bronze.candles", Chunks([Chunk((week,), frame)]))
    homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))


@pytest.mark.parametrize("ago", [timedelta(minutes=3), timedelta(days=2)], ids=["of the same day", "in the daily bars"])
def test_a_bar_that_came_later_changes_nothing(settings: Settings, ago: timedelta) -> None:
    bar, week = (AT - ago).replace(second=0), date(2025, 10, 12)
    lake = Lake.open(settings)
    frame = homes.window(lake, "bronze.candles").read(*calendar.week_window(week))
    plant(lake, frame, week, bar=bar, known_at=None)
    without = said(asked(settings, AT))
    plant(lake, frame, week, bar=bar, known_at=AT + timedelta(seconds=1))
    assert said(asked(settings, AT)) == without
    plant(lake, frame, week, bar=bar, known_at=AT)
    assert said(asked(settings, AT))["expected_return_bp"] != without["expected_return_bp"]


def test_news_that_came_later_change_nothing(settings: Settings) -> None:
    lake = Lake.open(settings)
    before = said(asked(settings, AT))
    stored = lake.read("silver.news_sentiment")
    bar = datetime(2025, 10, 15, 14, 29, tzinfo=UTC)
    for known_at, same in ((bar + timedelta(microseconds=1), True), (bar, False)):
        planted = stored.tail(1).with_columns(
            pl.lit("planted").alias("article_id"),
            pl.lit(known_at, dtype=pl.Datetime("us", "UTC")).alias("known_at"),
            *(pl.lit(1.0).alias(name) for name in ("score", "positive", "confidence", "relevance")),
        )
        week = calendar.week_of(known_at)
        start, end = calendar.week_window(week)
        own = pl.concat([stored, planted]).filter(pl.col("known_at").is_between(start, end, closed="left"))
        homes.commit(lake, "silver.news_sentiment", Chunks([Chunk((week,), own.sort("instrument", "article_id", "revision"))]))
        assert (said(asked(settings, AT)) == before) is same


REFUSED: dict[str, tuple[type[Problem], str]] = {
    "2025-10-15T16:00:00.000001Z": (FutureTimestamp, "future_timestamp"),
    "9999-12-31T23:59:59-23:00": (BadRequest, "bad_request"),
    "0001-01-01T00:00:00+05:00": (BadRequest, "bad_request"),
    "1970-01-01T00:00:00Z": (BadRequest, "bad_request"),
    "2025-10-12T12:00:00Z": (NoModelAt, "no_model_at"),
}


def test_a_time_that_cannot_be_answered_for_is_refused(settings: Settings) -> None:
    service = Service(settings, now=lambda: END)
    for when, (problem, code) in REFUSED.items():
        with pytest.raises(problem) as caught:
            service.at_leisure(wanted(timestamp=when))
        assert caught.value.code == code
    with pytest.raises(BadRequest):
        wanted(timestamp="2025-10-15T14:30:00")


def test_the_state_of_the_feed_is_judged_as_of_then(settings: Settings) -> None:
    version = {"model_version": "20251013T160000Z-0001"}
    with pytest.raises(MarketClosed) as closed:
        asked(settings, datetime(2025, 10, 11, 12, tzinfo=UTC), **version)
    assert closed.value.next_open == datetime(2025, 10, 12, 21, tzinfo=UTC)
    with pytest.raises(WarmingUp, match="no bar that had ended and was known"):
        asked(settings, datetime(2025, 10, 7, 12, tzinfo=UTC), **version)
    lake = Lake.open(settings)
    pause = datetime(2025, 10, 15, 14, tzinfo=UTC)
    week = date(2025, 10, 12)
    frame = homes.window(lake, "bronze.candles").read(*calendar.week_window(week))
    kept = frame.filter(~pl.col("ts").is_between(pause, pause + timedelta(minutes=10), closed="left"))
    homes.commit(lake, "bronze.candles", Chunks([Chunk((week,), kept)]))
    assert asked(settings, pause + timedelta(seconds=300)).feature_age_s == 300.0
    with pytest.raises(StaleFeatures, match="ended 301 s ago"):
        asked(settings, pause + timedelta(seconds=301))


def test_where_a_standing_feed_stands_is_now_and_later_has_not_come(settings: Settings) -> None:
    rebind(settings, live=False)
    service = at(settings, END + timedelta(days=3))  # a Saturday
    present = service.predict(wanted())
    past = service.at_leisure(wanted(timestamp=END.isoformat()))
    assert said(past) == said(present)
    with pytest.raises(FutureTimestamp, match="stands at 2025-10-15T16:00:00Z"):
        service.at_leisure(wanted(timestamp=(END + timedelta(seconds=1)).isoformat()))


def test_the_last_bar_known_is_found_over_a_long_pause(settings: Settings) -> None:
    lake = Lake.open(settings, read_only=True)
    found = as_of.vector(lake, instrument="SPX500_USD", at=END + timedelta(days=900), rows=3, snapshot=lake.snapshot())
    assert (found.vector.ts, found.vector.recent.shape[0]) == (END - calendar.ONE_MINUTE, 3)
    assert found.close == lake.read("bronze.candles", columns=["close"])["close"][-1]
    with pytest.raises(NoBarsError, match="EUR_USD: no bar that had ended"):
        as_of.vector(lake, instrument="EUR_USD", at=END, rows=3, snapshot=lake.snapshot())


def test_a_market_that_was_replaced_does_not_answer_for_the_past(settings: Settings, tmp_path: Path) -> None:
    rebind(settings, live=False)
    assert asked(settings, AT).features_source == "lake"
    lake = Lake.open(settings)
    other = lake.read("bronze.candles").select("ts", *(pl.col(name) * 2 for name in ("open", "high", "low", "close")))
    other.write_csv(tmp_path / "other.csv")
    feeds.import_file(lake, tmp_path / "other.csv", instrument="SPX500_USD", tz="UTC", replace=True)
    with pytest.raises(WarmingUp, match="bound or imported anew"):
        asked(settings, AT)
