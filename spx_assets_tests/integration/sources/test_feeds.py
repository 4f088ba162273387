"""Feeds on a real lake: who is bound to what, what a week holds, and that nothing is replaced unasked."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from spx_assets import SpxError
from spx_assets.lake import records, tables
from spx_assets.lake.connection import Lake
from spx_assets.lake.errors import HistoryStartError
from spx_assets.lake.records import PartitionRecord
from spx_assets.settings import Settings
from spx_assets.sources import bindings, feeds, imports, simulator
from spx_assets.sources.errors import FeedBoundError, FileUnreadableError, InstrumentError, LandingError

Make = Callable[[Sequence[date] | None], list[PartitionRecord]]
MONDAY = datetime(2024, 1, 8, 15, 0, tzinfo=UTC)


def candle_file(
    folder: Path, name: str, *, start: datetime = MONDAY, bars: int = 60, price: float = 100.0, tail: str = ""
) -> Path:
    """A CSV of `bars` minutes of one price."""
    lines = [f"{start + timedelta(minutes=i):%Y-%m-%dT%H:%M:%SZ},{price},{price + 1},{price - 1},{price},1" for i in range(bars)]
    path = folder / name
    path.write_text("\n".join(["ts,open,high,low,close,volume", *lines]) + "\n" + tail)
    return path


def hashes(lake: Lake) -> dict[date, str]:
    return {week: record.content_hash for week, record in records.newest(lake, tables.CANDLES, "bronze/candles").items()}


def landed(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.landing.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_week_made_again_is_the_same_for_two_imported_instruments(
    lake: Lake, make: Make, tmp_path: Path, shared_data: Path
) -> None:
    for name, instrument in (("spx500usd", "SPX500_USD"), ("nas100usd", "NAS100_USD")):
        rows = pl.read_parquet(shared_data / "candles" / f"{name}_m1_2018_2019h1.parquet").filter(
            pl.col("ts") < datetime(2018, 2, 1, tzinfo=UTC)
        )
        rows.write_parquet(tmp_path / f"{name}.parquet")
        feeds.import_file(lake, tmp_path / f"{name}.parquet", instrument=instrument)
    make(None)
    before, rows_before = hashes(lake), lake.read("bronze.candles")
    assert rows_before["instrument"].unique().sort().to_list() == ["NAS100_USD", "SPX500_USD"]
    make([date(2018, 1, 14)])
    assert hashes(lake) == before
    assert_frame_equal(lake.read("bronze.candles"), rows_before)


def test_making_weeks_after_an_import_never_brings_simulated_rows(lake: Lake, make: Make, tmp_path: Path) -> None:
    feeds.bind_simulator(lake, "SPX500_USD")
    make(feeds.weeks_with_rows(lake)[-2:])
    week, simulated = feeds.weeks_with_rows(lake)[-1], lake.snapshot()
    start = datetime(2025, 10, 13, 15, tzinfo=UTC)
    feeds.import_file(lake, candle_file(tmp_path, "real.csv", start=start, bars=10), instrument="SPX500_USD", replace=True)
    assert feeds.weeks_with_rows(lake) == [week]
    assert feeds.leftover_weeks(lake) == [week - timedelta(days=7)]
    make([week - timedelta(days=7), week])
    stored = lake.read("bronze.candles")
    assert stored.height == 10
    assert stored["source"].str.starts_with("files:real.csv@").all()
    assert feeds.leftover_weeks(lake) == []
    assert feeds.clocks(lake) == {"SPX500_USD": start + timedelta(minutes=10)}
    assert feeds.clocks(lake, snapshot=simulated) == {"SPX500_USD": simulator.END}
    assert feeds.clocks(lake) == {"SPX500_USD": start + timedelta(minutes=10)}


def test_import_over_simulated_rows_needs_replace(lake: Lake, tmp_path: Path) -> None:
    feeds.bind_simulator(lake, "SPX500_USD")
    path = candle_file(tmp_path, "real.csv")
    with pytest.raises(FeedBoundError, match="SPX500_USD is bound to simulator; add --replace"):
        feeds.import_file(lake, path, instrument="SPX500_USD")
    assert feeds.feeds(lake)["SPX500_USD"].provider == "simulator"
    assert landed(lake.settings) == []


def test_the_simulator_never_takes_an_instrument_that_has_a_feed(lake: Lake, tmp_path: Path) -> None:
    feeds.import_file(lake, candle_file(tmp_path, "real.csv"), instrument="SPX500_USD")
    with pytest.raises(FeedBoundError, match="the simulator is only for instruments without one"):
        feeds.bind_simulator(lake, "SPX500_USD")
    assert feeds.bind_simulator(lake, "OTHER").provider == "simulator"


def test_simulated_weeks_hold_what_the_simulator_yields(lake: Lake, make: Make) -> None:
    feeds.bind_simulator(lake, "SPX500_USD")
    weeks = feeds.weeks_with_rows(lake)
    assert (len(weeks), weeks[0], weeks[-1]) == (25, date(2025, 4, 27), date(2025, 10, 12))
    make(weeks[-2:])
    stored = lake.read("bronze.candles")
    expected = simulator.generate(lake.settings.simulator, datetime(2025, 10, 5, 21, tzinfo=UTC), simulator.END)
    assert_frame_equal(stored.select(*expected.columns), expected)
    assert stored["source"].unique().to_list() == ["simulator:seed=7"]
    assert feeds.clocks(lake) == {"SPX500_USD": simulator.END}
    assert feeds.last_bars(lake) == {"SPX500_USD": simulator.END - timedelta(minutes=1)}


def test_other_settings_make_every_simulated_week_stale_but_a_later_end_only_the_last(lake: Lake) -> None:
    feeds.bind_simulator(lake)
    weeks = feeds.weeks_with_rows(lake)
    before = feeds.fingerprints(lake, weeks)
    feeds.bind_simulator(lake, end=simulator.END + timedelta(hours=1))
    after = feeds.fingerprints(lake, weeks)
    assert [week for week in weeks if before[week] != after[week]] == weeks[-1:]
    weaker = lake.settings.simulator.model_copy(update={"edge": 0.5})
    other = Lake(lake.settings.model_copy(update={"simulator": weaker}))
    feeds.bind_simulator(other)
    changed = feeds.fingerprints(other, weeks)
    assert all(changed[week] != before[week] for week in weeks)


def test_a_further_file_adds_to_a_feed_and_wins_where_both_hold_a_minute(lake: Lake, make: Make, tmp_path: Path) -> None:
    later = MONDAY + timedelta(days=7)
    feeds.import_file(lake, candle_file(tmp_path, "a.csv", price=100.0), instrument="X")
    feeds.import_file(lake, candle_file(tmp_path, "b.csv", start=later, price=200.0), instrument="X")
    before = feeds.fingerprints(lake, feeds.weeks_with_rows(lake))
    overlap = candle_file(tmp_path, "c.csv", start=later + timedelta(minutes=50), bars=20, price=300.0)
    feeds.import_file(lake, overlap, instrument="X")
    after = feeds.fingerprints(lake, feeds.weeks_with_rows(lake))
    assert [week for week in before if before[week] != after[week]] == [date(2024, 1, 14)]
    make(None)
    assert lake.read("bronze.candles").group_by("close").len().sort("close").rows() == [(100.0, 60), (200.0, 50), (300.0, 20)]


def test_the_same_file_again_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    path = candle_file(tmp_path, "a.csv")
    assert not feeds.import_file(lake, path, instrument="X").again
    before = (landed(lake.settings), lake.snapshot())
    assert feeds.import_file(lake, path, instrument="X").again
    assert feeds.import_file(lake, path, instrument="X", replace=True).again
    assert (landed(lake.settings), lake.snapshot()) == before


def test_replace_puts_earlier_files_out_of_force(lake: Lake, make: Make, tmp_path: Path) -> None:
    feeds.import_file(lake, candle_file(tmp_path, "a.csv", price=100.0), instrument="X")
    feeds.import_file(lake, candle_file(tmp_path, "b.csv", bars=5, price=200.0), instrument="X", replace=True)
    make(None)
    assert lake.read("bronze.candles")["close"].to_list() == [200.0] * 5
    assert [file.name for file in feeds.feeds(lake)["X"].files] == ["b.csv"]


def test_refused_rows_are_replaced_with_the_candles_of_their_week(lake: Lake, make: Make, tmp_path: Path) -> None:
    bad = "2024-01-08T16:00:00Z,100,99,101,100,1\n2024-01-08T16:01:00Z,x,1,1,1,1\n2024-01-08T15:10:00Z,1,1,1,1,1\n"
    report = feeds.import_file(lake, candle_file(tmp_path, "bad.csv", tail=bad), instrument="X")
    assert report.quarantined == {"duplicate_minute": 1, "high_below_low": 1, "not_a_number": 1}
    for _ in range(2):
        (record,) = make(None)
        stored = lake.read("bronze.quarantine")
        assert record.rows == 60
        assert stored.select("line", "reason").sort("line").rows() == [
            (60, "high_below_low"),
            (61, "not_a_number"),
            (62, "duplicate_minute"),
        ]
    assert json.loads(stored.sort("line")["raw"][1])["open"] == "x"
    assert feeds.quarantine_counts(lake) == {"duplicate_minute": 1, "high_below_low": 1, "not_a_number": 1}
    feeds.import_file(lake, candle_file(tmp_path, "good.csv"), instrument="X", replace=True)
    make(None)
    assert feeds.quarantine_counts(lake) == {}


def test_real_negative_spreads_reach_the_quarantine(lake: Lake, make: Make, shared_data: Path) -> None:
    feeds.import_file(lake, shared_data / "candles" / "fxcm_m1_bidask_2012_2013.parquet")
    make(feeds.weeks_with_rows(lake)[:2])
    stored = lake.read("bronze.quarantine")
    assert set(stored["instrument"]) == {"GBPUSD"}
    assert set(stored["reason"]) == {"negative_spread"}
    assert float(lake.read("bronze.candles")["spread"].min()) >= 0.0  # type: ignore[arg-type]
    raw = json.loads(stored["raw"][0])
    assert raw["ask_c"] < raw["bid_c"]


def test_rows_before_the_history_start_are_refused_with_the_setting_to_change(lake: Lake, tmp_path: Path) -> None:
    old = candle_file(tmp_path, "old.csv", start=datetime(2009, 6, 1, 15, tzinfo=UTC))
    with pytest.raises(HistoryStartError, match="set SPX_HISTORY_START to 2009-05-31 or an earlier Sunday"):
        feeds.import_file(lake, old, instrument="X")
    assert feeds.feeds(lake) == {}
    assert landed(lake.settings) == []


def test_a_simulator_longer_than_the_history_is_refused(lake: Lake) -> None:
    longer = lake.settings.model_copy(update={"simulator": lake.settings.simulator.model_copy(update={"days": 5000})})
    with pytest.raises(HistoryStartError, match="the simulator's 5000 days begin at 2006-08-16"):
        feeds.bind_simulator(Lake(longer))


@pytest.mark.parametrize("name", ["missing.csv", "damaged.parquet", "symbolless.csv"])
def test_a_failed_import_leaves_nothing_behind(lake: Lake, tmp_path: Path, name: str) -> None:
    candle_file(tmp_path, "symbolless.csv")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 damaged")
    with pytest.raises((FileUnreadableError, InstrumentError)):
        feeds.import_file(lake, tmp_path / name)
    assert feeds.feeds(lake) == {}
    assert landed(lake.settings) == []


def test_an_import_that_dies_before_its_binding_changes_no_week(
    lake: Lake, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds.import_file(lake, candle_file(tmp_path, "a.csv", price=100.0), instrument="X")

    def dying(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            feeds.import_file(lake, candle_file(tmp_path, "b.csv", price=200.0), instrument="X")
    make(None)
    assert lake.read("bronze.candles")["close"].unique().to_list() == [100.0]
    feeds.import_file(lake, candle_file(tmp_path, "b.csv", price=200.0), instrument="X")
    make(None)
    assert lake.read("bronze.candles")["close"].unique().to_list() == [200.0]
    assert [file.position for file in bindings.feeds(lake)["X"].files] == [0, 1]


def test_a_landing_file_that_is_gone_or_altered_is_named(lake: Lake, make: Make, tmp_path: Path) -> None:
    feeds.import_file(lake, candle_file(tmp_path, "a.csv"), instrument="X")
    (path,) = lake.settings.landing.glob("*.rows.parquet")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    with pytest.raises(LandingError, match="was altered after its import"):
        make([date(2024, 1, 7)])
    path.unlink()
    with pytest.raises(LandingError, match="is missing, but a feed reads it"):
        make([date(2024, 1, 7)])
    assert lake.count("bronze.candles") == 0


def test_the_landing_folder_keeps_the_original_to_the_byte(lake: Lake, tmp_path: Path) -> None:
    path = candle_file(tmp_path, "a.CSV")
    feeds.import_file(lake, path, instrument="X")
    (file,) = feeds.feeds(lake)["X"].files
    assert (lake.settings.landing / f"{file.sha256}.csv").read_bytes() == path.read_bytes()
    assert file.rules == {"tz": None, "stamp": "start"}


def test_import_reports_progress_in_bytes(lake: Lake, tmp_path: Path) -> None:
    path = candle_file(tmp_path, "a.csv")
    seen: list[tuple[int, int]] = []
    imports.import_file(lake, path, instrument="X", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def test_weeks_without_rows_come_out_empty(lake: Lake, make: Make, tmp_path: Path) -> None:
    feeds.import_file(lake, candle_file(tmp_path, "a.csv"), instrument="X")
    made = make([date(2024, 1, 7), date(2024, 1, 14), date(2024, 3, 3)])
    assert [record.rows for record in made] == [60, 0, 0]


def test_every_source_error_is_one_the_command_line_prints() -> None:
    from spx_assets.sources import errors

    raised = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(raised) > 10
    assert all(issubclass(error, SpxError) for error in raised)
