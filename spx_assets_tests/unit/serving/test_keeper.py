"""The journal of new bars: what a worker that died or was refused leaves is in the lake once, whoever comes after it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving import journal
from serving.stream import keeper
from serving.stream.keeper import Keeper
from serving.stream.lone import LakeOutlet
from serving.stream.modes import StreamError
from serving.stream.worker import Worker
from spx_assets.lake import Lake
from spx_assets.lake.errors import LakeError
from spx_assets.settings import Settings, StreamSettings
from spx_assets.sources import bindings, feeds, live
from spx_assets.sources.bars import Bar
from spx_assets_tests import lakes

START = datetime(2019, 1, 7, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def one_minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a feed of one minute. For copies alone."""
    folder = tmp_path_factory.mktemp("minute")
    made = lakes.fresh(Settings(home=folder / "home"))
    path = folder / "first.csv"
    path.write_text(f"ts,open,high,low,close\n{START.isoformat()},2500,2500,2500,2500")
    feeds.import_file(made, path, instrument="SPX500_USD", tz="UTC")
    made.close()
    return folder / "home"


@pytest.fixture
def lake(one_minute: Path, settings: Settings) -> Lake:
    """A copy of that home."""
    shutil.copytree(one_minute, settings.home)
    return Lake.open(settings)


def bar(lake: Lake, minute: int) -> Bar:
    feed = bindings.feeds(lake)["SPX500_USD"]
    ts, price = START + timedelta(minutes=minute), 3000.0 + minute
    return Bar(
        instrument="SPX500_USD",
        ts=ts,
        provider=feed.provider,
        binding=feed.binding,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=1.0,
        known_at=ts + timedelta(minutes=1),
        bid_size=5.0,
    )


def died(lake: Lake, *minutes: int) -> None:
    """A worker that noted those bars and was killed: the kernel gives up its lock, nothing else happens."""
    dead = Keeper(lake.settings)
    for minute in minutes:
        dead.note(bar(lake, minute))
    assert dead._journal._file is not None
    dead._journal._file.close()


def closes(lake: Lake) -> list[float]:
    found: list[float] = lake.read("bronze.candles_live")["close"].to_list()
    return found


def files(lake: Lake) -> list[Path]:
    return journal.paths(keeper.folder(lake.settings))


def unstreamable(lake: Lake) -> Worker:
    """A worker that ends behind the recovery: no feed of the home fits its source."""
    return Worker(lake.settings.model_copy(update={"stream": StreamSettings(source="oanda")}), LakeOutlet())


def refusing(*_: object) -> int:
    raise LakeError("the lake is locked")


def test_a_flush_leaves_what_a_dead_worker_wrote_until_it_is_recovered(lake: Lake) -> None:
    died(lake, 1, 2)
    new = Keeper(lake.settings)
    new.flush()
    assert (len(files(lake)), closes(lake)) == (1, [])
    assert new.recover() == 2
    new.note(bar(lake, 3))
    new.flush()
    assert (files(lake), closes(lake)) == ([], [3001.0, 3002.0, 3003.0])


def test_a_worker_that_is_started_again_hands_over_what_a_dead_one_left(lake: Lake) -> None:
    died(lake, 1, 2)
    with pytest.raises(StreamError, match="import some history first"):
        unstreamable(lake).run()
    assert (files(lake), closes(lake)) == ([], [3001.0, 3002.0])


def test_a_lake_that_refuses_what_a_dead_worker_left_costs_no_bar(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    died(lake, 1, 2)
    with monkeypatch.context() as locked:
        locked.setattr(live, "store", refusing)
        with pytest.raises(LakeError, match="locked"):
            unstreamable(lake).run()
    assert len(files(lake)) == 1
    with pytest.raises(StreamError):
        unstreamable(lake).run()
    assert (files(lake), closes(lake)) == ([], [3001.0, 3002.0])


def test_an_orderly_end_whose_last_bars_the_lake_refuses_leaves_them_to_the_next(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Keeper(lake.settings)
    ended.note(bar(lake, 1))
    with monkeypatch.context() as locked:
        locked.setattr(live, "store", refusing)
        ended.stop()
    assert len(files(lake)) == 1
    with pytest.raises(StreamError):
        unstreamable(lake).run()
    assert (files(lake), closes(lake)) == ([], [3001.0])


def test_a_bar_that_could_not_be_journalled_is_stored_with_those_behind_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored clock passes it by if the journal's bars go first."""
    own = Keeper(lake.settings)

    def full(_: object) -> None:
        raise journal.JournalError("the disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(own._journal, "append", full)
        own.note(bar(lake, 1))
    own.note(bar(lake, 2))
    with monkeypatch.context() as broken:
        broken.setattr(live, "store", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):  # what nobody foresaw loses no bar either
            own.flush()
    assert own.recover() == 0
    own.flush()
    assert (files(lake), closes(lake)) == ([], [3001.0, 3002.0])
