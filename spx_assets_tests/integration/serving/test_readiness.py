"""A vector that could differ from its batch row is not served; what to run is said."""

import dataclasses
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from serving.model_store import INPUTS
from serving.problems import BadArtifact
from serving.service import Service
from serving.vectors import Vector, VectorStore
from spx_assets import calendar
from spx_assets.assets.graph import node
from spx_assets.build import build_defs
from spx_assets.features import batch, readiness
from spx_assets.lake import Chunks, Lake
from spx_assets.settings import NewsSettings
from spx_assets.sources import articles, bindings, feeds, news_landing
from spx_assets_tests import lakes
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.unit.serving.homes import ask

WEEKS = (date(2025, 10, 5), date(2025, 10, 12))
"""The simulated market trades from Thursday 9 October to Wednesday 15 October, 12:00 New York."""
BACKFILL = "run `spx backfill gold/market_features --from {}`"


@pytest.fixture
def bare(tmp_path: Path) -> Lake:
    """A home with a feed and nothing made of it."""
    made = lakes.fresh(homes.settings_of(tmp_path / "home"))
    feeds.bind_simulator(made, "SPX500_USD")
    return made


@pytest.fixture
def lake(fed: Path, tmp_path: Path) -> Lake:
    """A home with a feed, its candles and their daily bars."""
    return Lake.open(homes.settings_of(Path(shutil.copytree(fed, tmp_path / "home"))))


def candles(lake: Lake, *weeks: date, change: Callable[[pl.DataFrame], pl.DataFrame] | None = None) -> None:
    for week in weeks:
        chunk = feeds.candles(lake, [week])
        homes.commit(lake, "bronze.candles", Chunks([dataclasses.replace(chunk, frame=(change or (lambda f: f))(chunk.frame))]))


def daily_bars(lake: Lake) -> None:
    homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))


def look(lake: Lake) -> VectorStore:
    store = VectorStore(lake.settings, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    store.refresh({"SPX500_USD": 1})
    assert store.unreadable is None
    return store


def refusal(lake: Lake) -> str:
    store = look(lake)
    assert not store.vectors
    return store.failed["SPX500_USD"]


def vector(lake: Lake) -> Vector:
    store = look(lake)
    assert not store.failed
    return store.vectors["SPX500_USD"]


def higher(day: date) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Candles whose highest price of `day` is one point higher."""
    ends = pl.col("ts") == pl.col("ts").filter(pl.col("trading_day") == day).max()
    return lambda frame: frame.with_columns(high=pl.when(ends).then(pl.col("high").max() + 1.0).otherwise("high"))


def test_providers_that_are_polled_are_those_of_the_settings_and_not_all_ever_heard(tmp_path: Path) -> None:
    news = NewsSettings(live=("rss", "gdelt"))
    lake = lakes.fresh(homes.settings_of(tmp_path / "home").model_copy(update={"news": news}))
    feeds.bind_simulator(lake, "SPX500_USD")
    at = datetime(2025, 10, 15, 16, tzinfo=UTC)
    nothing = articles.frame([])
    for provider in ("rss", "finnhub"):
        news_landing.land(lake, provider, nothing, name=provider, live=True, now=at)
    assert look(lake).polled == {"rss": at, "gdelt": None}


def test_a_hole_in_the_candles_of_the_look_back_is_not_served(bare: Lake) -> None:
    candles(bare, WEEKS[1])
    said = refusal(bare)
    assert "bronze/candles was never made for 1 week(s)" in said
    assert said.endswith(BACKFILL.format("2025-10-05"))


def test_daily_bars_that_were_never_made_are_not_served_past(bare: Lake) -> None:
    homes.model(bare.settings)
    candles(bare, *WEEKS)
    assert "silver/daily_bars is missing" in refusal(bare)
    service = Service(bare.settings)
    service.models.refresh()
    service.vectors.refresh({"SPX500_USD": 1})
    with pytest.raises(Exception, match="--from 2025-10-05") as caught:
        service.predict(ask())
    assert (caught.value.code, caught.value.status) == ("warming_up", 503)  # type: ignore[attr-defined]


def test_daily_bars_of_other_candles_are_not_served_until_they_are_made_again(lake: Lake) -> None:
    before = vector(lake)
    candles(lake, WEEKS[0], change=higher(date(2025, 10, 10)))
    assert refusal(lake).endswith(BACKFILL.format("2025-10-05"))
    daily_bars(lake)
    after = vector(lake)
    rows = homes.model_inputs(lake)
    assert after.recent[-1].tobytes() == rows.tail(1).select(INPUTS).to_numpy().astype(np.float32)[0].tobytes()
    assert after.recent[-1].tobytes() != before.recent[-1].tobytes()


def test_in_the_open_week_only_completed_days_count(lake: Lake) -> None:
    candles(lake, WEEKS[1], change=higher(date(2025, 10, 15)))  # the day that goes on: its own daily bar is not looked at
    assert vector(lake).ts == datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
    candles(lake, WEEKS[1], change=higher(date(2025, 10, 14)))
    assert refusal(lake).endswith(BACKFILL.format("2025-10-12"))


def test_daily_bars_of_other_code_are_not_served_past(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    vector(lake)
    code = readiness.daily_bars(lake.settings)
    monkeypatch.setattr(readiness, "daily_bars", lambda _: dataclasses.replace(code, code_version="older"))
    assert "silver/daily_bars is missing or older than the candles" in refusal(lake)


def test_rows_the_feed_has_and_the_lake_has_not_are_waited_for(lake: Lake) -> None:
    feed = bindings.feeds(lake)["SPX500_USD"]
    end = feed.end + timedelta(minutes=90)
    bindings.write(lake, [dataclasses.replace(feed, config={**feed.config, "end": end.isoformat()})])
    said = refusal(lake)
    assert "rows up to 2025-10-15T17:30Z" in said
    assert said.endswith(BACKFILL.format("2025-10-12"))
    candles(lake, WEEKS[1])
    assert vector(lake).ts == end - timedelta(minutes=1)


def test_a_feed_bound_anew_is_waited_for_even_if_it_ends_at_the_same_minute(lake: Lake) -> None:
    feed = bindings.feeds(lake)["SPX500_USD"]
    bindings.write(lake, [dataclasses.replace(feed, config={**feed.config, "seed": 12345})])
    assert "bound or imported anew" in refusal(lake)
    candles(lake, WEEKS[1])
    assert refusal(lake).endswith(BACKFILL.format("2025-10-05"))  # the days before still come from the former feed
    candles(lake, WEEKS[0])
    daily_bars(lake)
    vector(lake)


def test_refused_rows_at_the_end_of_a_feed_are_an_age_not_a_hole(lake: Lake) -> None:
    candles(lake, WEEKS[1], change=lambda frame: frame.filter(pl.col("ts") < datetime(2025, 10, 15, 15, 58, tzinfo=UTC)))
    daily_bars(lake)
    found = vector(lake)
    assert found.ts == datetime(2025, 10, 15, 15, 57, tzinfo=UTC)
    assert found.age(found.clock) == timedelta(minutes=2)


def test_weeks_of_another_instrument_are_not_waited_for(lake: Lake) -> None:
    feed = bindings.feeds(lake)["SPX500_USD"]
    bindings.write(lake, [dataclasses.replace(feed, instrument="EUR_USD", config={**feed.config, "days": 60})])
    assert len(feeds.weeks_with_rows(lake)) > len(feeds.weeks_with_rows(lake, instrument="SPX500_USD")) == 2
    assert vector(lake).ts == datetime(2025, 10, 15, 15, 59, tzinfo=UTC)


def test_a_gap_before_the_look_back_of_250_days_does_not_matter(lake: Lake) -> None:
    last = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
    reach = calendar.week_of_day(calendar.shift_trading_days(date(2025, 10, 15), -250))
    old = [reach - timedelta(days=7), *WEEKS]
    args = {"instrument": "SPX500_USD", "ts": last, "snapshot": lake.snapshot()}
    readiness.require(lake, weeks=old, **args)  # type: ignore[arg-type]
    with pytest.raises(readiness.NotReadyError, match=reach.isoformat()):
        readiness.require(lake, weeks=[reach, *WEEKS], **args)  # type: ignore[arg-type]


def test_the_nodes_are_those_of_the_asset_graph(lake: Lake) -> None:
    graph = build_defs(lake.settings).resolve_asset_graph()
    assert node(graph, dg.AssetKey(["bronze", "candles"])) == readiness.CANDLES
    assert node(graph, dg.AssetKey(["bronze", "news"])) == readiness.articles()
    assert node(graph, dg.AssetKey(["silver", "daily_bars"])) == readiness.daily_bars(lake.settings)


def test_a_model_of_a_market_that_was_replaced_is_not_served(lake: Lake, tmp_path: Path) -> None:
    homes.model(lake.settings, feeds=bindings.in_force(lake))
    service = Service(lake.settings)
    service.look()
    assert service.predict(ask()).gate == "promoted"
    other = lake.read("bronze.candles").select("ts", *(pl.col(name) * 2 for name in ("open", "high", "low", "close")))
    other.write_csv(tmp_path / "other.csv")
    feeds.import_file(lake, tmp_path / "other.csv", instrument="SPX500_USD", tz="UTC", replace=True)
    service.look()
    with pytest.raises(BadArtifact, match="train the model again with `spx train`"):
        service.predict(ask())
