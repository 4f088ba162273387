"""When bars of a live feed came to be known: by its stream, else when its history was fetched."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import bindings, feeds, live
from spx_assets.sources.heard import heard
from spx_assets_tests import lakes
from spx_assets_tests.unit.sources.test_live import START, WEEK, bars, csv

NAME = "SPX500_USD"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lake(settings: Settings, tmp_path: Path) -> Lake:
    """An archive of minutes 0 to 4; then a live feed whose stream gave 6, 8 and 9; then official rows of 5 to 8 and 10."""
    made = lakes.fresh(settings)
    feeds.import_file(made, csv(tmp_path / "first.csv", [0, 1, 2, 3, 4]), instrument=NAME, tz="UTC")
    bindings.write(made, [dataclasses.replace(bindings.feeds(made)[NAME], live=True)])
    live.store(made, bars(made, [6, 8, 9]))
    feeds.import_file(made, csv(tmp_path / "official.csv", [5, 6, 7, 8, 10], level=2600.0), instrument=NAME, tz="UTC")
    return made


def test_a_streamed_bar_stands_for_its_minute_and_another_was_known_when_it_was_fetched(lake: Lake) -> None:
    feed = bindings.feeds(lake)[NAME]
    told = heard(lake, feed, snapshot=lake.snapshot())
    assert told is not None
    assert (told.first, told.end) == (START + 6 * MINUTE, START + 10 * MINUTE)
    stored = feeds.candles(lake, [WEEK]).frame
    found = told.candles(stored, start=START, until=START + 11 * MINUTE).select("ts", "close", "known_at")[4:]
    fetched, late = feed.files[-1].imported_at, timedelta(milliseconds=300)
    assert fetched > datetime(2026, 1, 1, tzinfo=UTC)
    assert [(int((ts - START) / MINUTE), close, known_at) for ts, close, known_at in found.iter_rows()] == [
        (4, 2504.0, START + 5 * MINUTE),
        (5, 2605.0, START + 6 * MINUTE),  # before the stream: an archive
        (6, 3006.0, START + 7 * MINUTE + late),
        (7, 2607.0, fetched),
        (8, 3008.0, START + 9 * MINUTE + late),
        (9, 3009.0, START + 10 * MINUTE + late),
        (10, 2610.0, fetched),  # after it the provider tells no sooner
    ]


def test_a_replay_and_a_feed_without_a_stream_are_known_as_their_candles_say(lake: Lake) -> None:
    feed = bindings.feeds(lake)[NAME]
    unstreamed = {name: value for name, value in feed.config.items() if not name.startswith("streamed")}
    for other in (
        dataclasses.replace(feed, live=False),
        dataclasses.replace(feed, config=unstreamed),
        dataclasses.replace(feed, provider="simulator"),
    ):
        assert heard(lake, other, snapshot=lake.snapshot()) is None
