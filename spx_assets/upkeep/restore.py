"""Putting a backup back as a home.

Belongs here: verifying every file, the home that appears whole, addresses below the old home. Does not: making a backup.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from spx_assets.lake import Lake
from spx_assets.lake.location import Location
from spx_assets.settings import Settings, load
from spx_assets.upkeep.backup import LIST, BackupError, Contents, Progress, listed, silent

MLFLOW = "mlflow/mlflow.db"
ARTIFACTS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Where MLflow keeps whole addresses of files below the home."""


def restore(settings: Settings, source: Path, *, progress: Progress = silent) -> Contents:
    """Make the backup in the folder `source` the home of these settings, which must not be there or be empty.

    Every file is compared with its digest before anything appears. BackupError says what is in the way or what is wrong.
    """
    whole, home = source.expanduser().absolute(), settings.home
    contents = read(whole)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise BackupError(f"{home} is there and not empty; move it away, or name another home with SPX_HOME")
    if not Location.of(settings).movable:
        raise BackupError("SPX_LAKE__CATALOG or SPX_LAKE__DATA names a place outside the home; unset them to restore a home")
    wrong = [name for name, known in contents.files.items() if not _is(whole / name, known.bytes)]
    wrong = wrong or _altered(whole, contents, progress)
    if wrong:
        raise BackupError(f"{len(wrong)} file(s) of {whole} are missing or altered, the first {wrong[0]}; use another backup")
    making = home.with_name(f".{home.name}.partial")
    shutil.rmtree(making, ignore_errors=True)
    for number, name in enumerate(contents.files, start=1):
        (making / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(whole / name, making / name)
        progress("copies", number, len(contents.files))
    _readdressed(making / MLFLOW, contents.home, str(home))
    if home.exists():
        home.rmdir()
    making.rename(home)
    found = Lake.open(load(home), read_only=True).snapshot()
    if found != contents.snapshot:
        raise BackupError(f"the restored lake stands at snapshot {found}, not {contents.snapshot}; use another backup")
    return contents


def read(folder: Path) -> Contents:
    """The list of a backup; BackupError if the folder is none."""
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=Contents)
    except FileNotFoundError as error:
        raise BackupError(f"{folder} is no backup: it has no {LIST}; name the folder that `spx backup` wrote") from error
    except msgspec.DecodeError as error:
        raise BackupError(f"{folder / LIST} is not readable ({error}); use another backup") from error


def _altered(whole: Path, contents: Contents, progress: Progress) -> list[str]:
    """Files whose content is not what the list says."""
    found = []
    for number, (name, known) in enumerate(contents.files.items(), start=1):
        if listed(whole / name) != known:
            found.append(name)
        progress("checks", number, len(contents.files))
    return found


def _is(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _readdressed(store: Path, before: str, after: str) -> None:
    """Addresses below the old home become such below the new one."""
    if before == after or not store.is_file():
        return
    with closing(sqlite3.connect(store)) as database, database:
        for table, column in ARTIFACTS:
            known = {row[1] for row in database.execute(f'PRAGMA table_info("{table}")')}
            if column in known:
                # Identifiers stand above; the values are parameters.
                database.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE instr("{column}", ?) > 0',  # noqa: S608
                    [f"{before}/", f"{after}/", f"{before}/"],
                )
