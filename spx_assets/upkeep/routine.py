"""The monthly upkeep of a lake, in its order: retention, sentiment scores, compaction, expiry, clean-up.

Belongs here: the order and what is told of each step. Does not: the steps (`lake.maintenance`, `retention`, `kept`,
`scores`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from spx_assets.lake import Lake, maintenance
from spx_assets.settings import Settings
from spx_assets.upkeep import kept, retention, scores


@dataclass(frozen=True)
class Step:
    """What one step did, and of how many what."""

    step: str
    what: str
    number: int


def maintain(settings: Settings, *, live: Sequence[datetime] = ()) -> list[Step]:
    """Keep the lake of these settings up; `live` are the starts of runs under way, whose snapshots are not touched."""
    lake = Lake.open(settings)
    done = [
        Step("retention", f"rows of {each.table} {each.instrument or ''} before {each.before}".replace("  ", " "), each.rows)
        for each in retention.apply(lake, settings)
    ]
    unasked = scores.forget(lake, settings, now=datetime.now(UTC))
    merged = [each for each in maintenance.compact(lake) if each.files_after < each.files_before]
    done += [Step("compaction", f"files of {each.table} became {each.files_after}", each.files_before) for each in merged]
    keep = kept.snapshots(lake, settings)
    age = max(timedelta(days=settings.upkeep.snapshot_days), timedelta(hours=settings.lake.keep_files_h))
    gone = maintenance.expire_snapshots(lake, older_than=age, keep=keep, before=min(live, default=None))
    unused = timedelta(hours=settings.lake.keep_files_h)
    return [
        *done,
        Step("scores", "sentiment scores of other models or of texts no longer held", unasked),
        Step("expiry", "snapshots forgotten", gone),
        Step("expiry", "snapshots kept for versions", len(keep)),
        Step("clean-up", "files that no snapshot refers to", len(maintenance.delete_old_files(lake, older_than=unused))),
        Step("clean-up", "files that the catalog does not know", len(maintenance.delete_orphaned_files(lake, older_than=unused))),
    ]
