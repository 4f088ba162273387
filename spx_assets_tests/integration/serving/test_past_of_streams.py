"""A timestamp in the past beside a live stream: its bars count as it gave them, and what the lake lacks of them is waited for."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from serving.problems import WarmingUp
from spx_assets import calendar
from spx_assets.features import as_of, batch
from spx_assets.lake import Chunk, Chunks, Lake
from spx_assets.settings import Settings
from spx_assets.sources import bindings, feeds, live
from spx_assets.sources.bars import Bar
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.pasts import AT, END, asked, at, rebind, said, settings
from spx_assets_tests.unit.serving.test_requests import wanted

__all__ = ["settings"]


def test_bars_that_were_only_streamed_count_as_if_they_were_in_the_candles(settings: Settings) -> None:
    lake = Lake.open(settings)
    snapshot, cut = lake.snapshot(), datetime(2025, 10, 14, 12, tzinfo=UTC)
    whole = as_of.vector(lake, instrument="SPX500_USD", at=AT, rows=2, snapshot=snapshot)
    week = date(2025, 10, 12)
    frame = homes.window(lake, "bronze.candles").read(*calendar.week_window(week))
    homes.commit(lake, "bronze.candles", Chunks([Chunk((week,), frame.filter(pl.col("ts") < cut))]))
    snapshot = lake.snapshot()
    asked: list[datetime | None] = []

    def further(last: datetime | None) -> pl.DataFrame:
        asked.append(last)
        return frame.filter(pl.col("ts") >= cut)

    streamed = as_of.vector(lake, instrument="SPX500_USD", at=AT, rows=2, snapshot=snapshot, streamed=further)
    assert asked == [cut - calendar.ONE_MINUTE]
    assert (streamed.vector.ts, streamed.close) == (whole.vector.ts, whole.close)
    assert streamed.vector.recent.tobytes() == whole.vector.recent.tobytes()
    assert streamed.stored == cut - calendar.ONE_MINUTE


def test_a_streamed_bar_that_the_lake_has_not_is_waited_for(settings: Settings) -> None:
    service = at(settings, AT)
    lake, week = Lake.open(settings), date(2025, 10, 12)
    frame = homes.window(lake, "bronze.candles").read(*calendar.week_window(week))
    newest = service.vectors.vectors["SPX500_USD"].ts
    homes.commit(lake, "bronze.candles", Chunks([Chunk((week,), frame.filter(pl.col("ts") < newest))]))
    with pytest.raises(WarmingUp, match="was streamed and is not in the lake yet; ask again in 10 s"):
        service.at_leisure(wanted(timestamp=AT.isoformat()))
    before = AT - timedelta(minutes=1)
    assert service.at_leisure(wanted(timestamp=before.isoformat())).timestamp == newest - timedelta(minutes=1)


def test_a_time_between_the_lake_and_the_newest_streamed_bar_is_waited_for(settings: Settings) -> None:
    service = at(settings, END + timedelta(minutes=10))
    newest = service.vectors.vectors["SPX500_USD"]
    service.vectors.put(dataclasses.replace(newest, ts=END + timedelta(minutes=5)))
    between = wanted(timestamp=(END + timedelta(minutes=3)).isoformat())
    with pytest.raises(WarmingUp, match="was streamed and is not in the lake yet; ask again in 10 s"):
        service.at_leisure(between)
    assert service.at_leisure(wanted(timestamp=(END + timedelta(seconds=30)).isoformat())).timestamp == newest.ts
    lake = Lake.open(settings)
    feed = bindings.feeds(lake)["SPX500_USD"]
    stored = {"end": (END + timedelta(minutes=4)).isoformat()}  # up to then the stream had no bar
    bindings.write(lake, [dataclasses.replace(feed, config={**feed.config, **stored})])
    assert service.at_leisure(between).timestamp == newest.ts


def test_a_bar_that_the_stream_gave_later_than_the_history_says_is_not_seen_before(settings: Settings, tmp_path: Path) -> None:
    """Minutes to 14:29 are an archive; then a stream without 14:36, whose bar of 14:39 came at 14:45; then the official rows."""
    lake = Lake.open(settings)
    minute = [datetime(2025, 10, 15, 14, m, tzinfo=UTC) for m in range(60)]
    market = lake.read("bronze.candles").select("ts", "open", "high", "low", "close")

    def imported(rows: pl.DataFrame, *, replace: bool) -> None:
        rows.write_csv(tmp_path / "rows.csv")
        feeds.import_file(lake, tmp_path / "rows.csv", instrument="SPX500_USD", tz="UTC", replace=replace)

    def answers() -> list[dict[str, object]]:
        homes.commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
        homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))
        return [said(asked(settings, when)) for when in (minute[37], minute[40], minute[45])]

    imported(market.filter(pl.col("ts") < minute[30]), replace=True)
    rebind(settings, live=True)
    feed = bindings.feeds(lake)["SPX500_USD"]
    of_stream = market.filter(pl.col("ts").is_in([*minute[30:36], *minute[37:50]]))
    came = {minute[39]: minute[45]}
    lasting: dict[str, Any] = {"instrument": feed.instrument, "provider": feed.provider, "binding": feed.binding, "volume": 1.0}
    live.store(
        lake,
        [
            Bar(**lasting, **row, known_at=came.get(row["ts"], row["ts"] + calendar.ONE_MINUTE))
            for row in of_stream.iter_rows(named=True)
        ],
    )
    then = answers()
    assert [answer["timestamp"] for answer in then] == [minute[35], minute[38], minute[44]]
    official = market.filter(pl.col("ts").is_in(minute[30:50]))
    imported(official.with_columns(pl.col("open", "high", "low", "close") * 2), replace=False)
    assert answers() == then
    held = lake.read("bronze.candles", start=minute[36], end=minute[40], columns=["ts", "known_at"])
    assert held["known_at"].to_list() == minute[37:41]  # as the archive says that they were
