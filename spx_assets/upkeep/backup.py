"""A backup of a home: its lake at one snapshot, artifacts, landed files, MLflow store and Dagster state, beside running writers.

Belongs here: what is copied, in which order, and the list of it. Does not: putting it back (`restore`).

Data files never change, so a copy of the catalog, taken under its lock, and the files it names are the lake at that instant. What
has to agree with it is fixed under the same lock: who is served, and the journals, which the service deletes once it has flushed
them. Files that become unused meanwhile are not removed before SPX_LAKE__KEEP_FILES_H have passed.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from spx_assets import SpxError
from spx_assets.lake import Lake, locks
from spx_assets.lake.location import Location
from spx_assets.scoring.artifact import root
from spx_assets.scoring.current import FILE as CURRENT
from spx_assets.settings import Settings
from spx_assets.upkeep import databases

LIST = "backup.json"
KEYS = ("keys", "settings.env")
"""What opens the service, and settings, which may name secrets."""
PASSING = (".lock", ".holder", ".pid", ".sock", ".partial")
"""Names of files that say who is at work now."""
Progress = Callable[[str, int, int], None]
"""What is being done, of how many files so far, of how many."""
_FILES = """
SELECT s.path || t.path || f.path FROM (
    SELECT table_id, path FROM ducklake_data_file UNION ALL SELECT table_id, path FROM ducklake_delete_file
) f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)"""


class BackupError(SpxError):
    """A home cannot be backed up, or a backup not be put back."""


class Listed(msgspec.Struct, frozen=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: `files` by their path below the home."""

    made_at: datetime
    home: str
    snapshot: int
    with_keys: bool
    files: dict[str, Listed]


@dataclass(frozen=True)
class Fixed:
    """What agrees with the catalog's copy: journals as links, `current.json` of each model."""

    links: dict[str, Path]
    current: dict[str, bytes]


def silent(task: str, done: int, total: int) -> None:
    """Progress that nobody is shown."""


def backup(settings: Settings, target: Path, *, with_keys: bool = False, progress: Progress = silent) -> Contents:
    """Write a backup of the home to the folder `target`, which appears whole or not at all; BackupError says what is amiss."""
    location = Location.of(settings)
    if not location.movable:
        raise BackupError(
            f"the lake of {settings.home} lies outside it ({location.name}, {location.data}): back up its catalog first "
            "(pg_dump, or sqlite3 .backup), then its data with that place's tools; `spx backup` copies homes that hold their lake"
        )
    Lake.open(settings, read_only=True)
    whole = target.expanduser().absolute()
    if whole.exists() and (not whole.is_dir() or any(whole.iterdir())):
        raise BackupError(f"{whole} is there and not an empty folder; name a new one, e.g. with the date in it")
    if whole.is_relative_to(settings.home):
        raise BackupError(f"{whole} lies in the home it would be a copy of; name a folder outside, best on another disk")
    making = whole.with_name(f".{whole.name}.partial")
    links = settings.home / f".backup.{os.getpid()}.partial"
    try:
        return _make(settings, location, making, links, whole, with_keys=with_keys, progress=progress)
    finally:
        shutil.rmtree(links, ignore_errors=True)
        shutil.rmtree(making, ignore_errors=True)


def _make(
    settings: Settings, location: Location, making: Path, links: Path, whole: Path, *, with_keys: bool, progress: Progress
) -> Contents:
    shutil.rmtree(making, ignore_errors=True)
    catalog = making / Path(location.catalog).relative_to(settings.home)
    catalog.parent.mkdir(parents=True)
    with locks.hold(location, ["catalog"], purpose="backup"):
        databases.copy({Path(location.catalog): catalog})
        fixed = Fixed(_linked(settings.home, links), _current(settings))
    snapshot, named = _tidied(catalog)
    sources = {f"lake/data/{name}": Path(location.data) / name for name in named} | fixed.links
    others, stores = _rest(settings.home, with_keys=with_keys)
    copied = {name: source for name, source in (sources | others).items() if name not in fixed.current}
    for number, (name, source) in enumerate(copied.items(), start=1):
        _copied(source, making / name, must=name in sources)
        progress("copies", number, len(copied))
    for name in stores:
        (making / name).parent.mkdir(parents=True, exist_ok=True)
    databases.copy({settings.home / name: making / name for name in stores})
    for name, content in fixed.current.items():
        (making / name).parent.mkdir(parents=True, exist_ok=True)
        (making / name).write_bytes(content)
    paths = sorted(path for path in making.rglob("*") if path.is_file())
    files = {}
    for number, path in enumerate(paths, start=1):
        files[path.relative_to(making).as_posix()] = listed(path)
        progress("checksums", number, len(paths))
    contents = Contents(made_at=datetime.now(UTC), home=str(settings.home), snapshot=snapshot, with_keys=with_keys, files=files)
    (making / LIST).write_bytes(msgspec.json.format(msgspec.json.encode(contents)))
    if whole.exists():
        whole.rmdir()
    making.rename(whole)
    return contents


def listed(path: Path) -> Listed:
    """Size and digest of a file."""
    with path.open("rb") as file:
        return Listed(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _linked(home: Path, links: Path) -> dict[str, Path]:
    """Journals under a second name, which stays when their writer deletes the first. Readers pass over half a frame."""
    found = {}
    for number, path in enumerate(sorted(home.glob("*/journal/**/*.journal"))):
        links.mkdir(exist_ok=True)
        os.link(path, links / str(number))
        found[path.relative_to(home).as_posix()] = links / str(number)
    return found


def _current(settings: Settings) -> dict[str, bytes]:
    paths = root(settings.artifacts).glob(f"*/{CURRENT}")
    return {path.relative_to(settings.home).as_posix(): path.read_bytes() for path in paths}


def _tidied(catalog: Path) -> tuple[int, list[str]]:
    """The copy's newest snapshot and the data files it names; files that only wait to be deleted are not copied, so not named."""
    with closing(sqlite3.connect(catalog)) as copy, copy:
        copy.execute("DELETE FROM ducklake_files_scheduled_for_deletion")
        (snapshot,) = copy.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
        return int(snapshot), [str(row[0]) for row in copy.execute(_FILES).fetchall()]


def _rest(home: Path, *, with_keys: bool) -> tuple[dict[str, Path], list[str]]:
    """Everything else of the home: plain files, and databases."""
    plain: dict[str, Path] = {}
    stores: list[str] = []
    for path in _walk(home):
        name = path.relative_to(home).as_posix()
        if name.split("/")[0] in ("lake", *(() if with_keys else KEYS)) or "/journal/" in name:
            continue
        try:
            if databases.is_database(path):
                stores.append(name)
            elif not name.endswith(databases.BESIDE):
                plain[name] = path
        except FileNotFoundError:
            continue  # somebody's passing file
    return plain, stores


def _walk(home: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(home):
        folders[:] = sorted(name for name in folders if not name.endswith(PASSING))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.endswith(PASSING) and path.is_file() and not path.is_symlink():
                yield path


def _copied(source: Path, target: Path, *, must: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target)
    except FileNotFoundError as error:
        if must:
            raise BackupError(f"{source} is named by the catalog and not there; make its weeks again") from error
