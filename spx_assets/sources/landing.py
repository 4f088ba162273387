"""The landing folder: content-addressed originals and their judged rows, so that a week made again reads the same bytes.

Belongs here: keeping and finding files by digest, atomically. Does not: which feed reads them (`feeds`).

`<sha256><suffix>` is a file as it came, `<sha256 of itself>.rows.parquet` its judged rows for one instrument,
`<sha256 of itself>.news.parquet` a batch of articles (`news_batches`). All appear by rename, whole or not at all. `incoming/`
holds copies in the making, `partial/` what an unfinished download has so far.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import polars as pl
from filelock import FileLock

from spx_assets import calendar
from spx_assets.sources.errors import FileUnreadableError, LandingError
from spx_assets.sources.rows import JUDGED

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Staged:
    """A private copy of a file being imported."""

    path: Path
    sha256: str
    suffix: str


class Landing:
    """The landing folder of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One import at a time in a home: bindings are read, changed and written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield

    @contextmanager
    def staged(self, source: Path, *, name: str, progress: Callable[[int, int], None] | None = None) -> Iterator[Staged]:
        """A copy of `source` with its digest, gone again unless `keep` was called; the original may change meanwhile."""
        incoming = self.folder / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        copy = incoming / f"{uuid4().hex}.part"
        try:
            suffixes = Path(name).suffixes
            yield Staged(
                copy, _copy(source, copy, name, progress), "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])
            )
        finally:
            copy.unlink(missing_ok=True)

    def keep(self, staged: Staged) -> Path:
        """Make the staged copy permanent under its digest."""
        path = self.folder / f"{staged.sha256}{staged.suffix.lower()}"
        os.replace(staged.path, path)
        return path

    def keep_rows(self, rows: pl.DataFrame) -> str:
        """Store judged rows; returns the digest that names them."""
        return keep_parquet(rows.select(*JUDGED), self.folder, ".rows.parquet")

    def rows_path(self, digest: str) -> Path:
        return self.folder / f"{digest}.rows.parquet"

    def rows(self, digest: str) -> pl.LazyFrame:
        """Judged rows by digest; LandingError if they are gone or not what the digest says."""
        return pl.scan_parquet(intact(self.rows_path(digest), digest, remedy="import its original again with --replace"))

    def weeks(self, digest: str) -> frozenset[date]:
        """Trading weeks that the rows of a digest fall into, refused rows included."""
        self.rows(digest)
        return _weeks(self.rows_path(digest))

    def partial(self, provider: str, instrument: str) -> Path:
        """Folder of an unfinished download."""
        folder = self.folder / "partial" / provider / re.sub(r"[^A-Za-z0-9_.-]", "-", instrument)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either there whole or not at all."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def intact(path: Path, digest: str, *, remedy: str) -> Path:
    """`path`, if it is there and its content has `digest`; else LandingError with the remedy."""
    try:
        state = path.stat()
    except FileNotFoundError:
        raise LandingError(f"{path} is missing, but a feed reads it; {remedy}") from None
    if _digest_at(path, state.st_mtime_ns, state.st_size) != digest:
        raise LandingError(f"{path} was altered after its import; {remedy}")
    return path


def keep_parquet(rows: pl.DataFrame, folder: Path, suffix: str) -> str:
    """Store rows as `<digest of the file><suffix>`, by rename; the digest."""
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    part = incoming / f"{uuid4().hex}.part"
    try:
        rows.write_parquet(part, compression="zstd", row_group_size=50_000, statistics=True)
        digest = _sha256(part)
        os.replace(part, folder / f"{digest}{suffix}")
    finally:
        part.unlink(missing_ok=True)
    return digest


@lru_cache(maxsize=4096)
def _weeks(path: Path) -> frozenset[date]:
    """Rows under a digest never change, so neither do their weeks."""
    day = calendar.trading_day_expr(pl.col("ts"))
    return frozenset(pl.scan_parquet(path).select(calendar.week_expr(day).unique().alias("week")).collect()["week"])


@lru_cache(maxsize=4096)
def _digest_at(path: Path, mtime_ns: int, size: int) -> str:
    """Digest of a file in one state; read once a process (8 ms for 460,000 rows)."""
    return _sha256(path)


def _copy(source: Path, target: Path, name: str, progress: Callable[[int, int], None] | None) -> str:
    digest, done = hashlib.sha256(), 0
    try:
        total = source.stat().st_size
        with source.open("rb") as reader, target.open("wb") as writer:
            while block := reader.read(_BLOCK):
                digest.update(block)
                writer.write(block)
                done += len(block)
                if progress:
                    progress(done, total)
    except OSError as error:
        raise FileUnreadableError(f"{name} cannot be read: {error.strerror}; check the path and its permissions") from error
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()
