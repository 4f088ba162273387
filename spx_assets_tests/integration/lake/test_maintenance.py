"""Upkeep beside readers and writers loses nothing."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from spx_assets.lake import Lake, maintenance
from spx_assets.lake.errors import LakeError, SnapshotError
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.integration.lake.test_parallel import _start, _wait, assert_whole

NOW = timedelta(seconds=0.01)


def test_small_files_become_few_and_every_snapshot_reads_the_same(lake: Lake) -> None:
    for week in lakes.WEEKS:
        lakes.replace(lake, [week])
    lakes.replace(lake, lakes.WEEKS[2:5], level=1.0)
    lakes.replace(lake, lakes.WEEKS[3:4], level=2.0)
    snapshots = range(lake.snapshot() - 4, lake.snapshot() + 1)
    before = {at: lake.read("bronze.candles", snapshot=at) for at in snapshots}
    merged = {done.table: done for done in maintenance.compact(lake)}
    assert (merged["bronze.candles"].files_before, merged["bronze.candles"].files_after) == (7, 1)
    lake._listings.clear()
    assert all(lake.read("bronze.candles", snapshot=at).equals(frame) for at, frame in before.items())


def test_expired_snapshots_and_their_files_go_and_the_newest_rows_stay(lake: Lake, made_settings: Settings) -> None:
    for level in (1.0, 2.0, 3.0):
        lakes.replace(lake, lakes.WEEKS[:2], level=level)
    first = lake.snapshot() - 2
    orphan = made_settings.home / "lake" / "data" / "bronze" / "candles" / "spx-left-by-a-crash.parquet"
    orphan.write_bytes(b"half a file")
    time.sleep(0.1)
    assert maintenance.expire_snapshots(lake, older_than=NOW) >= 3
    assert len(maintenance.delete_old_files(lake, older_than=timedelta(0.0000001))) == 2
    assert [Path(name).name for name in maintenance.delete_orphaned_files(lake, older_than=NOW)] == [orphan.name]
    assert not orphan.exists()
    assert lake.read("bronze.candles").equals(lakes.candles(lakes.WEEKS[:2], level=3.0))
    lake._listings.clear()
    with pytest.raises(SnapshotError):
        lake.read("bronze.candles", snapshot=first)


def test_files_that_a_running_transaction_may_own_are_never_removed(tmp_path: Path) -> None:
    lake = Lake.open(Settings(home=tmp_path))
    lakes.replace(lake, lakes.WEEKS[:1])
    for step in (maintenance.expire_snapshots, maintenance.delete_old_files, maintenance.delete_orphaned_files):
        with pytest.raises(LakeError, match="SPX_LAKE__KEEP_FILES_H"):
            step(lake, older_than=timedelta(hours=47))


def test_upkeep_beside_a_writer_and_a_reader_loses_nothing(made_settings: Settings) -> None:
    lake = Lake.open(made_settings)
    lake.ensure("bronze.candles")
    reader, out, stop = Lake.open(made_settings, read_only=True), lakes.CONTEXT.Queue(), lakes.CONTEXT.Event()
    warm = [lakes.CONTEXT.Event() for _ in range(2)]
    writers = [_start(lakes.keep_replacing, made_settings, seed, warm[seed - 1], stop, out) for seed in (1, 2)]
    _wait(warm, writers)
    rounds, began = 0, time.monotonic()
    while rounds < 3 or time.monotonic() - began < 1.5:
        maintenance.compact(lake, ["bronze.candles"])
        # Older than any read or commit under way, however slow the machine.
        maintenance.expire_snapshots(lake, older_than=timedelta(seconds=20))
        maintenance.delete_old_files(lake, older_than=timedelta(seconds=20))
        maintenance.delete_orphaned_files(lake, older_than=timedelta(seconds=20))
        assert_whole(reader.read("bronze.candles"))
        rounds += 1
    stop.set()
    assert [error for _, error in (out.get(timeout=60) for _ in writers)] == [None, None]
    assert_whole(lake.read("bronze.candles"))


def test_rows_that_a_catalog_keeps_are_written_out_once_they_are_many_whatever_files_there_are(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MANY_INLINED", 2)
    for number in range(6):
        lake.append("models.promotions", lakes.promotion(number))
        assert maintenance.flush_inlined(lake, "models.promotions") is (number % 3 == 2)
    assert lake.read("models.promotions")["tests"].to_list() == list(range(6))
    assert not maintenance.flush_inlined(lake, "bronze.candles")
