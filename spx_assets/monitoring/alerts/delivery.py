"""Telling people of what waits: which alerts go out now, what became of each, when a failed one is tried again.

Belongs here: cool-down, grouping, back-off, the rows of attempts. Does not: how a message looks (`messages`) or travels
(`channels`), when this runs (`automation.alerts`).

What waits of one kind goes out as one message. A delivered alert keeps later ones of its kind, unless they are graver, quiet for
the kind's cool-down: they are held, which the daily digest tells. A message is sent at least once: a delivery that dies between
sending and writing it down sends again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl
from filelock import FileLock, Timeout

from spx_assets import SpxError
from spx_assets.lake import Lake
from spx_assets.lake.monitoring_tables import ALERTS, DELIVERIES
from spx_assets.monitoring.alerts import channels, messages
from spx_assets.settings import Settings

log = logging.getLogger(__name__)

ALWAYS_TOLD = ("digest", "test")
"""Kinds that no cool-down and no least severity holds."""
LONGEST_BACKOFF = timedelta(hours=6)
LOCK_S = 300.0


class DeliveryError(SpxError):
    """Alerts cannot be delivered as things are."""


@dataclass(frozen=True)
class Delivered:
    """How many alerts one delivery told, held for the digest, left for another attempt, and gave up."""

    delivered: int = 0
    held: int = 0
    waiting: int = 0
    failed: int = 0


def due(lake: Lake, settings: Settings, *, now: datetime) -> pl.DataFrame:
    """Alerts that a delivery would look at now, oldest first; none while no channel is named."""
    if not settings.alerts.channels or not lake.count(ALERTS):
        return ALERTS.empty()
    found = lake.read(ALERTS).filter(
        (pl.col("delivery") == "pending") & (pl.col("next_attempt_at").is_null() | (pl.col("next_attempt_at") <= now))
    )
    return found.sort("created_at", "id")


def deliver(settings: Settings, *, now: datetime | None = None) -> Delivered:
    """Tell every channel what is due. A channel that fails is recorded and tried again later; it raises nothing.

    DeliveryError if another delivery does not end; LakeError if the lake takes no rows.
    """
    folder = settings.home / "monitoring"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Two at once would each send what neither has written down yet.
        with FileLock(folder / ".delivery.lock", timeout=LOCK_S):
            return _deliver(Lake.open(settings), settings, now or datetime.now(UTC))
    except Timeout as error:
        raise DeliveryError(f"another delivery of alerts has not ended for {LOCK_S:g} s; end it or wait for it") from error


def _deliver(lake: Lake, settings: Settings, now: datetime) -> Delivered:
    waiting = due(lake, settings, now=now)
    if waiting.is_empty():
        return Delivered()
    quiet = _held(lake, waiting, settings, now)
    if not quiet.is_empty():
        lake.upsert(ALERTS, quiet.with_columns(delivery=pl.lit("held")))
    states = [_send(lake, settings, group, done, now) for group, done in _groups(lake, waiting.join(quiet, on="id", how="anti"))]
    count = {state: sum(rows for found, rows in states if found == state) for state in ("delivered", "pending", "failed")}
    return Delivered(count["delivered"], quiet.height, count["pending"], count["failed"])


def _held(lake: Lake, waiting: pl.DataFrame, settings: Settings, now: datetime) -> pl.DataFrame:
    """Of those not tried yet: below the least severity, too old to be news, or within the cool-down of one as grave."""
    rules, rank = settings.alerts, messages.RANK
    told = lake.sql(
        "SELECT kind, severity, max(delivered_at) AS at FROM monitoring.alerts WHERE delivery = 'delivered' GROUP BY ALL"
    ).rows()

    def held(row: dict[str, object]) -> bool:
        kind, severity, made = str(row["kind"]), str(row["severity"]), row["created_at"]
        assert isinstance(made, datetime)
        if row["attempts"] or kind in ALWAYS_TOLD:
            return False
        if rank[severity] < rank[rules.min_severity] or now - made > timedelta(hours=rules.stale_h):
            return True
        quiet = timedelta(minutes=rules.cool_down_of(kind))
        return any(kind == k and rank[s] >= rank[severity] and at is not None and now - at < quiet for k, s, at in told)

    return waiting.filter(pl.Series([held(row) for row in waiting.iter_rows(named=True)], dtype=pl.Boolean))


def _groups(lake: Lake, alerts: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, frozenset[str]]]:
    """(alerts of one kind, channels that took them already): what one message tells, and to whom no more."""
    tried = alerts.filter(pl.col("attempts") > 0)["id"].to_list()
    took: dict[str, frozenset[str]] = {}
    if tried:
        rows = lake.read(DELIVERIES).filter(pl.col("alert_id").is_in(tried) & pl.col("delivered"))
        took = {i: frozenset(names) for i, names in rows.group_by("alert_id").agg("channel").iter_rows()}
    by: dict[tuple[str, int, frozenset[str]], list[str]] = {}
    for row in alerts.iter_rows(named=True):
        by.setdefault((row["kind"], row["attempts"] or 0, took.get(row["id"], frozenset())), []).append(row["id"])
    for (_, _, done), ids in by.items():
        yield alerts.filter(pl.col("id").is_in(ids)), done


def _send(lake: Lake, settings: Settings, group: pl.DataFrame, done: frozenset[str], now: datetime) -> tuple[str, int]:
    """One message to every channel that has not taken it, and the rows of what came of it; (state, alerts)."""
    rules = settings.alerts
    message = messages.of_alerts(group, home=settings.home, attachment_mb=rules.attachment_mb)
    attempt = int(group["attempts"].fill_null(0)[0]) + 1
    errors: dict[str, str | None] = {}
    for name, url in rules.channels.items():
        if name in done:
            continue
        try:
            channels.send(name, url, message, timeout_s=rules.timeout_s)
            errors[name] = None
        except channels.ChannelError as error:
            errors[name] = str(error)
            log.warning("alert not delivered, attempt %d of %d: %s", attempt, rules.attempts, error)
    wrong = "; ".join(error for error in errors.values() if error)
    state = "delivered" if not wrong else "pending" if attempt < rules.attempts else "failed"
    pause = min(LONGEST_BACKOFF, timedelta(seconds=rules.backoff_s * 2 ** (attempt - 1)))
    after = group.with_columns(
        delivery=pl.lit(state),
        attempts=pl.lit(attempt, pl.Int32),
        delivered_at=pl.lit(now if state == "delivered" else None, ALERTS["delivered_at"].polars),
        next_attempt_at=pl.lit(now + pause if state == "pending" else None, ALERTS["next_attempt_at"].polars),
        error=pl.lit(wrong or None, pl.String),
    )
    tries = [
        {"alert_id": i, "channel": name, "attempt": attempt, "at": now, "delivered": error is None, "error": error}
        for i in group["id"]
        for name, error in errors.items()
    ]
    lake.write(upsert={ALERTS: after}, append={DELIVERIES: pl.DataFrame(tries, schema=DELIVERIES.schema())})
    return state, group.height
