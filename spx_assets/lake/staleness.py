"""Which weeks of an asset are missing, stale or fresh: judged by partition records alone.

Belongs here: comparing what a week was made from with what there is now. Does not: remaking anything, Dagster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from spx_assets.lake.records import PartitionRecord, inputs_hash, newest

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

Status = Literal["missing", "stale", "fresh"]
FINGERPRINT = "feed"


@dataclass(frozen=True)
class Input:
    """An upstream asset and the weeks of it that one week reads, as offsets in weeks from its own (-1, 0: look-back of one)."""

    asset: str
    table: str
    first_offset: int = 0
    last_offset: int = 0


@dataclass(frozen=True)
class Node:
    """An asset as staleness sees it: where its rows are, what it reads and the version of its code."""

    asset: str
    table: str
    inputs: tuple[Input, ...] = ()
    code_version: str = ""


def inputs_hashes(
    lake: "Lake",
    node: Node,
    weeks: Sequence[date],
    *,
    fingerprints: Mapping[date, str] | None = None,
    snapshot: int | None = None,
) -> dict[date, str]:
    """Per week the hash of what it is made from as of `snapshot`: code version, upstream contents, fingerprint of the feed.

    A look-back week that was never made is not part of the hash: once it is made, its dependants are stale.
    """
    inputs = node.inputs
    upstream = {(i.table, i.asset): newest(lake, i.table, i.asset, snapshot=snapshot) for i in inputs} if weeks else {}
    return {week: inputs_hash(node.code_version, _read_by(node, week, inputs, upstream, fingerprints or {})) for week in weeks}


def _read_by(
    node: Node,
    week: date,
    inputs: Sequence[Input],
    upstream: Mapping[tuple[str, str], Mapping[date, PartitionRecord]],
    fingerprints: Mapping[date, str],
) -> list[tuple[str, date, str]]:
    read = [
        (i.asset, other, upstream[i.table, i.asset][other].content_hash)
        for i in inputs
        for offset in range(i.first_offset, i.last_offset + 1)
        if (other := week + timedelta(days=7 * offset)) in upstream[i.table, i.asset]
    ]
    if week in fingerprints:
        read.append((FINGERPRINT, week, fingerprints[week]))
    return read


def status(
    lake: "Lake",
    node: Node,
    weeks: Sequence[date],
    fingerprints: Mapping[date, str] | None = None,
    *,
    snapshot: int | None = None,
) -> dict[date, Status]:
    """missing: never made; stale: made by other code or from other contents than there are now; else fresh."""
    at = lake.snapshot() if snapshot is None else snapshot
    made = newest(lake, node.table, node.asset, weeks=weeks, snapshot=at)
    now = inputs_hashes(lake, node, [week for week in weeks if week in made], fingerprints=fingerprints, snapshot=at)
    return {
        week: "missing" if week not in made else "fresh" if made[week].inputs_hash == now[week] else "stale" for week in weeks
    }
