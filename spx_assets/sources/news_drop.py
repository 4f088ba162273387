"""The drop folder: article files that people, other programs or the simulator leave for the online job.

Belongs here: how a file gets in, which files wait, what becomes of one that was taken. Does not: reading articles
(`news_files`), landing them (`news_landing`), when to look (`automation.sensors`).

A file appears by rename from a name with a leading dot in the same folder, so whoever lists the folder sees it whole or not at
all; nothing is judged by its age. Once its rows are in the lake it is moved to `taken/`. A crash in between takes it again, and
as records are landed by their digests that lands nothing twice. What cannot be read is moved to `refused/`, its reason beside it.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from spx_assets.settings import Settings
from spx_assets.sources.errors import SourceError
from spx_assets.sources.landing import write_whole

JOB = "news_online"
"""The job that takes what lies there."""


class DropFolderError(SourceError):
    """The drop folder cannot be read or written."""


TAKEN, REFUSED = "taken", "refused"
_SIMULATED = "simulated-"


def folder(settings: Settings) -> Path:
    """The folder of a home, which need not exist yet."""
    return Path(settings.news.drop).expanduser().absolute() if settings.news.drop else settings.home / "news-drop"


def waiting(at: Path) -> list[Path]:
    """Files to be taken, in the order of their names. Hidden files are in the making or not meant."""
    with _folder_errors(at):
        return sorted(path for path in at.iterdir() if not path.name.startswith(".") and path.is_file()) if at.is_dir() else []


def mark(path: Path) -> str | None:
    """What tells a file from another that lay under its name before, None if it is gone.

    It is compared for being the same, never for being later.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    said = f"{path.name}\0{state.st_ino}\0{state.st_size}\0{state.st_mtime_ns}"
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def put(at: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """Leave simulated articles as one file of JSON lines, whole; its path. Names sort by when they were made."""
    path = at / f"{_SIMULATED}{time.time_ns():020d}-{uuid4().hex[:8]}.ndjson"
    lines = [json.dumps(record, default=datetime.isoformat) for record in records]
    with _folder_errors(at):
        at.mkdir(parents=True, exist_ok=True)
        write_whole(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def provider(path: Path) -> str:
    """Who is named as the provider of a file's articles."""
    return "simulator" if path.name.startswith(_SIMULATED) else "files"


@contextmanager
def taking(at: Path) -> Iterator[list[Path]]:
    """The files that wait, for one process at a time."""
    lock = FileLock(at / ".lock")
    with _folder_errors(at):
        lock.acquire()
    try:
        yield waiting(at)
    finally:
        lock.release()


def taken(path: Path) -> None:
    """Put away a file whose rows are in the lake."""
    _move(path, path.parent / TAKEN)


def refuse(path: Path, reason: str) -> None:
    """Put away a file that cannot be read, with the reason in a file beside it."""
    target = _move(path, path.parent / REFUSED)
    write_whole(target.with_name(f"{target.name}.reason.txt"), f"{reason}\n".encode("utf-8", "replace"))


def _move(path: Path, to: Path) -> Path:
    """Move a file, to another name where its own was used before."""
    target = to / path.name
    with _folder_errors(path.parent):
        to.mkdir(exist_ok=True)
        if target.exists():
            target = to / f"{path.stem}.{uuid4().hex[:8]}{path.suffix}"
        os.replace(path, target)
    return target


@contextmanager
def _folder_errors(at: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DropFolderError(
            f"{at} cannot be used ({error.strerror or error}); correct its permissions or SPX_NEWS__DROP"
        ) from error
