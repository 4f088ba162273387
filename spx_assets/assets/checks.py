"""Asset checks: the contract each commit passed, what its source held that was refused, whether a live feed is up to date.

Belongs here: turning what the lake and the feeds say into check results. Does not: the rules of a contract.
"""

from datetime import UTC, date, datetime
from typing import Protocol

import dagster as dg

from spx_assets import calendar
from spx_assets.assets.graph import asset_name, table_of
from spx_assets.lake import Lake, verify
from spx_assets.news import bronze
from spx_assets.partitions import week_of_key
from spx_assets.settings import Settings
from spx_assets.sources import feeds

CANDLES = dg.AssetKey(["bronze", "candles"])
NEWS = dg.AssetKey(["bronze", "news"])


class QuarantineCounts(Protocol):
    def __call__(self, lake: Lake, *, start: datetime | None, end: datetime | None) -> dict[str, int]:
        """Refused rows stored for [start, end), by reason."""


def checked_weeks(context: dg.AssetCheckExecutionContext) -> list[date] | None:
    """The weeks of the run that asks for the check; None when it was started on its own, for every week there is."""
    tags = context.run.tags
    first = tags.get("dagster/asset_partition_range_start", tags.get("dagster/partition"))
    last = tags.get("dagster/asset_partition_range_end", tags.get("dagster/partition"))
    return calendar.week_range(week_of_key(first), week_of_key(last)) if first and last else None


def contract_check(key: dg.AssetKey) -> dg.AssetChecksDefinition:
    """Blocking: what lies in the lake for the run's weeks is what the partition records say and what the contract allows.

    Started on its own it takes nobody's word for it and reads every column of every week again.
    """

    @dg.asset_check(
        asset=key,
        name="contract",
        blocking=True,
        description="Schema, unique key, catalog ranges, no row after the feed's clock; row counts and hashes as recorded.",
    )
    def contract(context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        lake, weeks = Lake.open(settings), checked_weeks(context)
        report = verify.report(
            lake, table_of(key), asset=asset_name(key), weeks=weeks, clocks=feeds.clocks(lake), reread=weeks is None
        )
        bad = [row for row in report if row.problem]
        return dg.AssetCheckResult(
            passed=not bad,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={
                "weeks": len(report),
                "rows": sum(row.rows for row in report),
                "problems": dg.MetadataValue.md("\n".join(f"- {row.week}: {row.problem}" for row in bad[:50]) or "none"),
            },
        )

    return contract


def quarantine_check(key: dg.AssetKey, counts: QuarantineCounts, description: str) -> dg.AssetChecksDefinition:
    """Warns when the source of the run's weeks held what was refused."""

    @dg.asset_check(asset=key, name="quarantine", description=description)
    def quarantine(context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        weeks = checked_weeks(context)
        start, end = calendar.run_window(weeks) if weeks else (None, None)
        refused = counts(Lake.open(settings), start=start, end=end)
        return dg.AssetCheckResult(
            passed=not refused,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows": sum(refused.values()), **{f"reason: {reason}": n for reason, n in refused.items()}},
        )

    return quarantine


quarantine = quarantine_check(CANDLES, feeds.quarantine_counts, "Rows of the feed that were not candles, by reason.")
news_quarantine = quarantine_check(NEWS, bronze.quarantine_counts, "Records of the providers that were not articles, by reason.")


@dg.asset_check(asset=CANDLES, name="newest_day_present", description="Live feeds hold the newest closed trading day.")
def newest_day_present(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Archive feeds, replays and the simulator stand still by design and are not judged."""
    lake = Lake.open(settings)
    closed = calendar.newest_closed_day(datetime.now(UTC), set(settings.calendar.holidays))
    last = feeds.last_bars(lake)
    late = {
        instrument: str(last.get(instrument))
        for instrument, feed in feeds.feeds(lake).items()
        if feed.live and (instrument not in last or calendar.trading_day(last[instrument]) < closed)
    }
    return dg.AssetCheckResult(
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"newest_closed_day": str(closed), "live_feeds_behind": len(late), **late},
    )
