"""Extensions: a signature is checked once a process or lake and file, and nothing unsigned is ever loaded."""

from pathlib import Path

import duckdb
import pytest

from spx_assets.lake import Lake, extensions
from spx_assets.lake.errors import ExtensionError
from spx_assets.settings import Settings

NAMES = ("ducklake", "sqlite_scanner")


def test_a_second_lake_trusts_the_files_the_first_one_checked_and_no_others(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lake.open(settings)
    assert extensions.accepted(NAMES)
    second = Lake.open(settings.model_copy(update={"home": tmp_path / "second"}))
    with second.cursor() as cursor:
        (found,) = cursor.execute("SELECT current_setting('allow_unsigned_extensions')").fetchone() or ()
        assert found is False
        with pytest.raises(duckdb.Error, match="signature"):
            cursor.execute(f"LOAD '{_altered('httpfs', tmp_path)}'")
        with pytest.raises(duckdb.Error, match="Cannot change"):
            cursor.execute("SET allow_unsigned_extensions = true")

    genuine, altered = extensions.wheel_path, _altered("sqlite_scanner", tmp_path)
    monkeypatch.setattr(extensions, "wheel_path", lambda name: altered if name == "sqlite_scanner" else genuine(name))
    assert not extensions.accepted(NAMES)
    with pytest.raises(ExtensionError, match="signature"):
        Lake.open(settings.model_copy(update={"home": tmp_path / "third"}))


def test_a_later_process_trusts_what_one_before_it_had_checked_at_the_same_lake_and_no_other_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lake.open(settings).close()
    kept = settings.home / "lake" / "extensions.json"
    extensions.keep(kept)
    monkeypatch.setattr(extensions, "_accepted", {})
    assert extensions.accepted(NAMES, kept)
    assert not extensions.accepted(NAMES)

    genuine, altered = extensions.wheel_path, _altered("sqlite_scanner", tmp_path)
    monkeypatch.setattr(extensions, "wheel_path", lambda name: altered if name == "sqlite_scanner" else genuine(name))
    assert not extensions.accepted(NAMES, kept)
    with pytest.raises(ExtensionError, match="signature"):
        Lake.open(settings)

    kept.write_bytes(b"half a li\xff")
    monkeypatch.setattr(extensions, "wheel_path", genuine)
    assert not extensions.accepted(NAMES, kept)
    Lake.open(settings).close()
    assert extensions.accepted(NAMES, kept)


def _altered(name: str, folder: Path) -> Path:
    """A copy of the extension with one other byte in its middle."""
    genuine = extensions.wheel_path(name)
    assert genuine is not None
    content = bytearray(genuine.read_bytes())
    content[len(content) // 2] ^= 1
    path = folder / genuine.name
    path.write_bytes(content)
    return path


def test_where_nothing_can_be_kept_nothing_is_left_and_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(extensions, "_accepted", {"ducklake": [1, 2, 3, 4, 5]})
    monkeypatch.setattr(Path, "write_text", full)
    extensions.keep(tmp_path / "extensions.json")
    assert list(tmp_path.iterdir()) == []
