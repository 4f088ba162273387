"""Asset checks: the contract each commit passed, the rows a feed lost, and whether a live feed is up to date.

Belongs here: turning what the lake and the feeds say into check results. Does not: the rules of a contract.
"""

from datetime import UTC, date, datetime

import dagster as dg

from spx_assets import calendar
from spx_assets.assets.graph import asset_name, table_of
from spx_assets.lake import Lake, verify
from spx_assets.partitions import week_of_key
from spx_assets.settings import Settings
from spx_assets.sources import feeds

CANDLES = dg.AssetKey(["bronze", "candles"])


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


@dg.asset_check(asset=CANDLES, name="quarantine", description="Rows of the feed that were not candles, by reason.")
def quarantine(context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Warns when rows of the run's weeks were refused."""
    weeks = checked_weeks(context)
    start, end = (calendar.week_window(weeks[0])[0], calendar.week_window(weeks[-1])[1]) if weeks else (None, None)
    counts = feeds.quarantine_counts(Lake.open(settings), start=start, end=end)
    return dg.AssetCheckResult(
        passed=not counts,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": sum(counts.values()), **{f"reason: {reason}": n for reason, n in counts.items()}},
    )


@dg.asset_check(asset=CANDLES, name="newest_day_present", description="Live feeds hold the newest closed trading day.")
def newest_day_present(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Archive feeds, replays and the simulator stand still by design and are not judged."""
    lake = Lake.open(settings)
    closed = _newest_closed_day(datetime.now(UTC), set(settings.calendar.holidays))
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


def _newest_closed_day(now: datetime, holidays: set[date]) -> date:
    day = calendar.trading_day(now) - calendar.ONE_DAY
    while not calendar.is_trading_day(day) or day in holidays:
        day -= calendar.ONE_DAY
    return day
