"""The kinds of alerts: from facts to words, a severity and the key of the event.

Belongs here: one function a kind. Does not: noticing the facts, keeping the alert (`raising`).
"""

from collections.abc import Sequence
from datetime import date, datetime

from spx_assets.monitoring.alerts.raising import Alert

SHOWN = 10
"""Names of features that a message lists; the report has them all."""


def run_failure(*, run_id: str, job: str, error: str, tags: str = "") -> Alert:
    """A Dagster run failed."""
    about = f" ({tags})" if tags else ""
    return Alert(
        kind="run_failure",
        severity="critical",
        title=f"Run of {job} failed",
        message=f"Run {run_id} of {job}{about} failed: {error} See it in the Dagster UI, correct the cause and run it again.",
        source="run failure sensor",
        key=run_id,
    )


def drift(*, instrument: str, day: date, share: float, features: Sequence[str], report: str | None = None) -> Alert:
    """The inputs of a trading day lie too far from the training window of what is served."""
    more = f" and {len(features) - SHOWN} more" if len(features) > SHOWN else ""
    return Alert(
        kind="drift",
        severity="warning",
        title=f"{instrument} drifted on {day}",
        message=f"{share:.0%} of the inputs of {instrument} drifted on {day}: {', '.join(features[:SHOWN])}{more}.",
        source="monitoring/feature_drift",
        key=f"{instrument} {day}",
        report=report,
    )


def degradation(*, name: str, day: date, metric: str, now: float, at_gate: float, report: str | None = None) -> Alert:
    """What is served errs more than at its gate."""
    return Alert(
        kind="degradation",
        severity="warning",
        title=f"{name} has become worse",
        message=f"{metric} of {name} was {now:.4g} up to {day}, {now / at_gate - 1:+.0%} of the {at_gate:.4g} it was judged by.",
        source="monitoring/performance",
        key=f"{name} {metric} {day}",
        report=report,
    )


def missing_data(*, instrument: str, day: date) -> Alert:
    """The newest closed trading day of a live feed has no bars."""
    return Alert(
        kind="missing_data",
        severity="critical",
        title=f"No bars of {instrument} on {day}",
        message=f"{day} is over and bronze/candles has no bars of {instrument}: see the provider's state, then run the job "
        "`daily`; if the market was closed, name the day in SPX_CALENDAR__HOLIDAYS.",
        source="bronze/candles",
        key=f"{instrument} {day}",
    )


def no_champion(*, name: str, served: str | None, week: date) -> Alert:
    """Nothing that passed the gate is served."""
    what = f"the flagged version {served} answers, its signal always hold" if served else "nothing answers"
    return Alert(
        kind="no_champion",
        severity="warning",
        title=f"{name} has no champion",
        message=f"No version of {name} has passed the gate up to week {week}: {what}. See `spx models best`.",
        source=f"models/{name}/champion",
        key=f"{name} {week}",
    )


def promotion(*, name: str, version: str, before: str | None, reason: str, decided_at: datetime) -> Alert:
    """Another version is served from now on."""
    return Alert(
        kind="promotion",
        severity="info",
        title=f"{name}: {version} was promoted",
        message=f"{version} is champion of {name} since {decided_at:%Y-%m-%d %H:%M} UTC, after {before or 'none'}: {reason}",
        source=f"models/{name}/champion",
        key=f"{name} {version} {decided_at.isoformat()}",
    )


def budget(*, what: str, spent: float, limit: float, unit: str, period: str) -> Alert:
    """A limit of calls, minutes or money was reached; `period` is its day or month, once for each."""
    return Alert(
        kind="budget",
        severity="warning",
        title=f"The budget of {what} is spent",
        message=f"{what}: {spent:.6g} of {limit:.6g} {unit} were used in {period}; until it ends no run starts by itself.",
        source="monitoring/costs",
        key=f"{what} {period}",
    )


def rollback(*, number: int, percent: int, reason: str) -> Alert:
    """The newer service answered worse and was taken back without anybody asking."""
    return Alert(
        kind="rollback",
        severity="critical",
        title="Green was taken back",
        message=f"Green answered {percent} % of the requests and answers none any more: {reason}. See `spx deploy status`.",
        source="spx deploy watch",
        key=f"split {number}",
    )
