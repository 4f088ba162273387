"""Which share of the requests green answers: files that the proxy looks at for each request.

Belongs here: the folder, changing it as a whole, its history. Does not: why it is changed (`watch`, the operator).

    deploy/current -> splits/000007     a link, replaced by rename
    deploy/splits/000007/green/00 .. 24 one file for each hundredth of the requests that green answers
    deploy/splits/000007/sticky         there where an address always gets the same colour
    deploy/splits/000007/split.json     the same in words
    deploy/history.ndjson               every change, the newest last

The proxy hashes each request into a hundredth and asks whether its file is there. So a change needs no reload: no worker of the
proxy ends, no connection is closed, and each request sees the split before or the one after.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock

from spx_assets import SpxError
from spx_assets.settings import Settings

Sticky = Literal["request", "address"]
_KEPT = 5
"""Splits whose folders stay: a request that began under one may still look at it."""


class SplitError(SpxError):
    """The split cannot be read or changed as asked."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """One state: `green` hundredths of the requests go to green, all others to blue."""

    number: int
    green: int
    sticky: Sticky
    changed_at: datetime
    by: str
    reason: str


class Splits:
    """The split of one home (or of SPX_DEPLOY__FOLDER)."""

    def __init__(self, settings: Settings) -> None:
        self.folder = Path(settings.deploy.folder or settings.home / "deploy")

    def current(self) -> Split | None:
        """The split in force; None before the first."""
        try:
            return msgspec.json.decode((self.folder / "current" / "split.json").read_bytes(), type=Split)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise SplitError(
                f"the split in {self.folder / 'current'} cannot be read ({error}); `spx deploy rollback` writes a new one"
            ) from error

    def history(self) -> list[Split]:
        """Every split there was, oldest first."""
        path = self.folder / "history.ndjson"
        try:
            lines = path.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=Split) for line in lines if line]
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            raise SplitError(f"{path} cannot be read ({error}); move it away, a new one begins at the next change") from error

    def change(self, green: int, *, by: str, reason: str, sticky: Sticky | None = None, only_after: int | None = None) -> Split:
        """Send `green` hundredths of the requests to green from now on; all at once or not at all.

        `sticky`: whether each request or each client address draws its colour; as before if not named. `only_after`: the number
        of the split this answers to: SplitError if it is not in force any more.
        """
        if not 0 <= green <= 100:
            raise SplitError(f"green cannot answer {green} % of the requests; give 0 to 100")
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            before = self._before()
            if only_after is not None and (before is None or before.number != only_after):
                raise SplitError(f"split {only_after} is no longer in force; see `spx deploy status`")
            made = Split(
                number=self._next(before),
                green=green,
                sticky=sticky or (before.sticky if before else "request"),
                changed_at=datetime.now(UTC),
                by=by,
                reason=reason,
            )
            self._write(made)
            self._forget(made.number)
        return made

    def _before(self) -> Split | None:
        """The split in force; a damaged one does not keep a new one from taking its place."""
        try:
            return self.current()
        except SplitError:
            return None

    def _next(self, before: Split | None) -> int:
        written = [int(path.name) for path in (self.folder / "splits").glob("[0-9]*")]
        return max([0, *written, *([before.number] if before else [])]) + 1

    def _write(self, split: Split) -> None:
        target = self.folder / "splits" / f"{split.number:06d}"
        (target / "green").mkdir(parents=True)
        for hundredth in range(split.green):
            (target / "green" / f"{hundredth:02d}").touch()
        if split.sticky == "address":
            (target / "sticky").touch()
        words = msgspec.json.encode(split)
        (target / "split.json").write_bytes(words)
        with (self.folder / "history.ndjson").open("ab") as history:
            history.write(words + b"\n")
            history.flush()
            os.fsync(history.fileno())
        link = self.folder / f".current.{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("splits") / target.name)
        link.replace(self.folder / "current")

    def _forget(self, newest: int) -> None:
        for path in (self.folder / "splits").glob("[0-9]*"):
            if int(path.name) <= newest - _KEPT:
                shutil.rmtree(path, ignore_errors=True)
