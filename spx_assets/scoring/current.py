"""Which version of a model is served: `models/<name>/current.json`.

Belongs here: reading it and replacing it in one rename. Does not: deciding who is served (`training.promotion`).

`champion` passed the gate; `challenger` is the newest version that did not displace it; `flagged` is the newest
first-ranked candidate while there is no champion. `generation` grows with every change, so a reader sees that it changed.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from filelock import FileLock

from spx_assets.scoring.artifact import root, write_atomic
from spx_assets.scoring.errors import ArtifactAlteredError

Wanted = Literal["champion", "challenger"]
"""Who an instance can be asked to serve."""
Alias = Literal["champion", "challenger", "flagged"]
FILE = "current.json"


class Current(msgspec.Struct, frozen=True, kw_only=True):
    generation: int = 0
    champion: str | None = None
    challenger: str | None = None
    flagged: str | None = None
    updated_at: datetime | None = None


def read(artifacts: Path, name: str) -> Current | None:
    """The served versions of model `name`; None before the gate first decided. ArtifactAlteredError if it is not readable."""
    path = root(artifacts) / name / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Current)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ArtifactAlteredError(
            f"{path} is not readable ({error}); write it again from models.promotions with "
            f"`spx backfill models/{name}/champion --from DAY --to DAY --force`, DAY in a week that {name} was trained for"
        ) from error


def replace(
    artifacts: Path,
    name: str,
    *,
    champion: str | None,
    challenger: str | None,
    flagged: str | None,
    generation: int | None = None,
) -> Current:
    """Replaces `current.json` of `name` atomically and returns it: `generation`, or the next one after what stands there."""
    folder = root(artifacts) / name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".current.lock"):
        if generation is None:
            generation = (read(artifacts, name) or Current()).generation + 1
        after = Current(
            generation=generation,
            champion=champion,
            challenger=challenger,
            flagged=flagged,
            updated_at=datetime.now(UTC),
        )
        write_atomic(folder / FILE, msgspec.json.encode(after))
    return after


def served(current: Current, wanted: Wanted = "champion") -> tuple[Alias, str] | None:
    """(alias, version) that answers: who is wanted, else the champion, else the flagged version; None if there is none."""
    if wanted == "challenger" and current.challenger:
        return "challenger", current.challenger
    if current.champion:
        return "champion", current.champion
    return ("flagged", current.flagged) if current.flagged else None


def names(artifacts: Path) -> list[str]:
    """Names of all models that have a `current.json`, sorted."""
    return sorted(path.parent.name for path in root(artifacts).glob(f"*/{FILE}"))
