"""Small facts that outlive a process: what operators loaded by hand, and which versions were verified last.

Belongs here: their two files under `$SPX_HOME/serving`, read at each look, replaced whole by one rename. Does not: what follows
from them (`model_store`).

Each alias has files of its own, so that a blue and a green instance of one home do not follow each other; the workers of one
instance follow the same files.
"""

import logging
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from filelock import FileLock

from spx_assets.scoring.artifact import write_atomic
from spx_assets.scoring.current import Wanted
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Manual(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decided of a forecaster: a version to answer, or none. It holds while `generation` stands."""

    version: str | None
    generation: int
    by: str
    at: datetime

    @property
    def words(self) -> str:
        what = f"{self.version} was loaded" if self.version else "unloaded"
        return f"{what} by {self.by} at {self.at:%Y-%m-%dT%H:%MZ}, until current.json goes on from generation {self.generation}"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The version that answered last, all its checks passed."""

    version: str
    digest: str


class Remembered(Generic[T]):
    """A file of one fact a forecaster. What cannot be read or written is logged and said in `problem`."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path, self._kind = path, dict[str, kind]  # type: ignore[valid-type]
        self.problem: str | None = None

    def read(self) -> dict[str, T]:
        """Every fact; none where the file was never written or is not readable."""
        try:
            found: dict[str, T] = msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except FileNotFoundError:
            self.problem = None
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            self._note(f"{self._path} is not readable ({error}); remove it")
            return {}
        self.problem = None
        return found

    def change(self, name: str, fact: T | None) -> None:
        """Keeps a fact of `name`, or forgets it; OSError where the home cannot be written."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_name(f".{self._path.name}.lock")):
            facts = self.read()
            facts.pop(name, None)
            if fact is not None:
                facts[name] = fact
            write_atomic(self._path, msgspec.json.encode(facts))

    def keep(self, name: str, fact: T) -> None:
        """The same for a fact that answers do not depend on: a home that cannot be written is no reason to stop."""
        try:
            self.change(name, fact)
        except OSError as error:
            self._note(f"{self._path} cannot be written ({error}); free space or give the service the right to write there")

    def _note(self, problem: str) -> None:
        if self.problem != problem:
            LOG.error("%s", problem)
        self.problem = problem


def manual(settings: Settings, alias: Wanted) -> Remembered[Manual]:
    return Remembered(_folder(settings) / f"manual-{alias}.json", Manual)


def verified(settings: Settings, alias: Wanted) -> Remembered[Verified]:
    return Remembered(_folder(settings) / f"verified-{alias}.json", Verified)


def _folder(settings: Settings) -> Path:
    return settings.home / "serving"
