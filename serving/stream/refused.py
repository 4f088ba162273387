"""Bars that the lake would never take: kept beside the journal with the reason, so that the others go on.

Belongs here: which bars those are, their file, what an operator is told. Does not: the journal (`keeper`), the table's contract
(`spx_assets.lake`).

`$SPX_HOME/stream/refused.ndjson` has a line a bar: when, where from, why, and its bytes. Whoever has looked at it removes it.
"""

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl

from spx_assets.lake import contract
from spx_assets.lake.errors import ContractError
from spx_assets.lake.tables import CANDLES_LIVE
from spx_assets.settings import Settings
from spx_assets.sources.bars import Bar


@dataclass(frozen=True)
class Refusal:
    """A bar, or the bytes of what was to be one, and why it cannot be stored."""

    payload: bytes
    source: str
    why: str


def path(settings: Settings) -> Path:
    """Where the bars of a home lie that were set aside."""
    return settings.home / "stream" / "refused.ndjson"


def sift(bars: Iterable[Bar]) -> tuple[list[Bar], list[Refusal]]:
    """The bars that the table's contract lets in, and the others."""
    fine, refused = list[Bar](), list[Refusal]()
    for bar in bars:
        why = _objection(bar)
        if why is None:
            fine.append(bar)
        else:
            refused.append(Refusal(msgspec.msgpack.encode(bar), f"{bar.instrument} {bar.ts:%Y-%m-%dT%H:%MZ}", why))
    return fine, refused


def keep(settings: Settings, refused: Sequence[Refusal]) -> None:
    """Write them down, on the disk before what they lay in goes; those that are there already are not written again."""
    file = path(settings)
    known = {line["bytes"] for line in _lines(file)}
    new = [each for each in refused if b64encode(each.payload).decode() not in known]
    if not new:
        return
    at = datetime.now(UTC).isoformat(timespec="seconds")
    said = [{"at": at, "from": each.source, "why": each.why, "bytes": b64encode(each.payload).decode()} for each in new]
    with file.open("a") as out:
        out.writelines(json.dumps(line) + "\n" for line in said)
        out.flush()
        os.fsync(out.fileno())


def problem(settings: Settings) -> str | None:
    """What an operator must know of them; None where there are none."""
    file = path(settings)
    if not file.exists():
        return None
    lines = _lines(file)
    last = f", the last ({lines[-1]['from']}) because {lines[-1]['why']}" if lines else ""
    return f"{len(lines)} bars were set aside in {file}{last}; see where they came from, then remove the file"


def _objection(bar: Bar) -> str | None:
    row = {name: getattr(bar, name) for name in CANDLES_LIVE.schema()}
    try:
        contract.check(CANDLES_LIVE, pl.DataFrame([row], schema=CANDLES_LIVE.schema()))
    except ContractError as error:
        return str(error)
    return None


def _lines(file: Path) -> list[dict[str, str]]:
    try:
        return [json.loads(line) for line in file.read_text().splitlines()]
    except (FileNotFoundError, json.JSONDecodeError):
        return []
