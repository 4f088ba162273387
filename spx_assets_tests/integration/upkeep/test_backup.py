"""A backup taken while writers run, put back elsewhere: the same rows, the same hashes, and a forecast."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving.keys import KeyStore
from spx_assets.cli import app
from spx_assets.lake import Lake, verify
from spx_assets.lake.records import newest
from spx_assets.settings import Settings
from spx_assets.upkeep.backup import BackupError, backup
from spx_assets.upkeep.restore import restore
from spx_assets_tests import lakes
from spx_assets_tests.integration.lake.test_parallel import assert_whole
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.upkeep.writer import Writer


def store(home: Path) -> None:
    """What MLflow keeps of a run: an address below the home. Its write-ahead log is not yet part of its file."""
    (home / "mlflow").mkdir()
    database = sqlite3.connect(home / "mlflow" / "mlflow.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE runs (artifact_uri TEXT)")
    database.execute("INSERT INTO runs VALUES (?)", [f"file://{home}/mlflow/artifacts/1"])
    database.commit()
    OPEN.append(database)


OPEN: list[sqlite3.Connection] = []


def test_a_restored_home_has_the_same_hashes_and_serves_the_same_model(
    traded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "first"
    shutil.copytree(traded, home)
    store(home)
    (home / "settings.env").write_text("SPX_SIMULATOR__DAYS=5\n")
    KeyStore(homes.settings_of(home)).create("desk", "viewer")
    journal = home / "serving" / "journal" / "predictions" / "20260101T000000Z-ab.journal"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"half a frame")
    run = CliRunner().invoke
    monkeypatch.setenv("SPX_HOME", str(home))
    told = run(app, ["backup", str(tmp_path / "copy")])
    assert told.exit_code == 0, told.output
    assert "without keys and settings.env" in told.output
    before = Lake.open(homes.settings_of(home))
    records = newest(before, "bronze.candles", "bronze/candles")
    rows = before.read("bronze.candles")
    before.close()
    OPEN.pop().close()
    second = tmp_path / "second"
    monkeypatch.setenv("SPX_HOME", str(second))
    shutil.move(home, tmp_path / "gone")
    told = run(app, ["restore", str(tmp_path / "copy")])
    assert told.exit_code == 0, told.output
    after = Lake.open(homes.settings_of(second))
    assert newest(after, "bronze.candles", "bronze/candles") == records
    assert after.read("bronze.candles").equals(rows)
    judged = verify.report(after, "bronze.candles", asset="bronze/candles", reread=True)
    assert [found for found in judged if found.problem] == []
    assert judged
    with closing(sqlite3.connect(second / "mlflow" / "mlflow.db")) as restored:
        assert restored.execute("SELECT artifact_uri FROM runs").fetchone() == (f"file://{second}/mlflow/artifacts/1",)
    assert (second / journal.relative_to(home)).read_bytes() == b"half a frame"
    assert not (second / "keys").exists()
    assert not (second / "settings.env").exists()
    (second / journal.relative_to(home)).unlink()
    with homes.running(second) as service:
        answer = service.predict()
        assert (answer.status_code, answer.json()["model_version"]) == (200, "20251015T160000Z-0001")


def test_a_backup_beside_a_writer_holds_only_whole_weeks(tmp_path: Path, writer: Writer) -> None:
    settings = Settings(home=tmp_path / "busy")
    lake = lakes.fresh(settings)
    lakes.replace(lake, lakes.WEEKS)
    writer.begin(settings)
    made = backup(settings, tmp_path / "copy", with_keys=True)
    _, error = writer.end()
    assert error is None
    restored = Settings(home=tmp_path / "restored")
    restore(restored, tmp_path / "copy")
    found = Lake.open(restored)
    assert made.snapshot < lake.snapshot()
    assert found.snapshot() == made.snapshot
    assert_whole(found.read("bronze.candles"), weeks=len(lakes.WEEKS))
    # It is a lake like any other: it is written to.
    lakes.replace(found, lakes.WEEKS[:1], level=9.0)


def test_what_is_in_the_way_of_a_backup_or_wrong_with_one_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    lakes.replace(lakes.fresh(settings), lakes.WEEKS[:1])
    with pytest.raises(BackupError, match="lies in the home"):
        backup(settings, settings.home / "copy")
    with pytest.raises(BackupError, match="not an empty folder"):
        backup(settings, settings.home.parent)
    elsewhere = Settings(home=settings.home, lake={"data": "s3://bucket/x"})  # type: ignore[arg-type]
    with pytest.raises(BackupError, match="pg_dump"):
        backup(elsewhere, tmp_path / "copy")
    KeyStore(settings).create("desk", "viewer")
    assert "keys/keys.json" in backup(settings, tmp_path / "copy", with_keys=True).files
    fresh = Settings(home=tmp_path / "fresh")
    with pytest.raises(BackupError, match="not empty"):
        restore(settings, tmp_path / "copy")
    with pytest.raises(BackupError, match=r"no backup: it has no backup\.json"):
        restore(fresh, tmp_path)
    (data,) = (tmp_path / "copy" / "lake" / "data").rglob("*.parquet")
    content = bytearray(data.read_bytes())
    content[100] ^= 1
    data.write_bytes(content)
    with pytest.raises(BackupError, match=r"1 file.* altered, the first lake/data/bronze/candles/"):
        restore(fresh, tmp_path / "copy")
    assert not fresh.home.exists()
