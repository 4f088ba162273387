"""Two sensors that answer measures with a training: drift of the inputs, errors worse than at the gate.

Belongs here: which reports are new, waiting until a training may start, asking for it. Does not: what keeps it from starting
(`retraining`), measuring.

A bad day is one event. It waits in the cursor while a training is under way, cools down or would cost too much, and is asked for
once: by its own run key, under which no second run is ever made, and only after the instance says that there is none. Events that
wait together are answered by one training, which goes by the first of them.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import msgspec
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from spx_assets import calendar
from spx_assets.automation import events, retraining
from spx_assets.automation.events import Report
from spx_assets.automation.jobs import DAILY, RETRAIN
from spx_assets.automation.retraining import EVENT
from spx_assets.lake import Lake
from spx_assets.settings import Settings

Reports = Callable[[Lake, Settings], Iterable[Report]]

DRIFT, PERFORMANCE = "drift_sensor", "performance_sensor"


class Memory(msgspec.Struct, frozen=True):
    """The cursor: by subject the newest day seen and the day up to which no report is an event, and the reports that wait."""

    seen: dict[str, date] = msgspec.field(default_factory=dict)
    handled: dict[str, date] = msgspec.field(default_factory=dict)
    waiting: list[Report] = msgspec.field(default_factory=list)

    def after(self, reports: Iterable[Report]) -> "Memory":
        """With every bad day after the last one that was an event, whatever came after it: a volatility that doubles is told on
        its first day and often not on the second.

        A day seen before may still turn bad while its week is open and measured again. The first look goes by the newest day
        there is, not by all history.
        """
        told = list(reports)
        newest = {report.subject: report.day for report in told}
        handled = {subject: self.handled.get(subject, day - timedelta(days=1)) for subject, day in newest.items()}
        new = [
            report
            for report in told
            if report.bad
            and report.day > handled[report.subject]
            and report.day >= calendar.week_of_day(self.seen.get(report.subject, report.day))
        ]
        handled |= {report.subject: report.day for report in new}
        return Memory(self.seen | newest, self.handled | handled, [*self.waiting, *new])

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def sensors(settings: Settings, jobs: Iterable[UnresolvedAssetJobDefinition]) -> list[dg.SensorDefinition]:
    """`drift_sensor` and `performance_sensor`; `jobs` are those of the code location."""
    targets = [job for job in jobs if job.name in (DAILY, RETRAIN)]
    on = dg.DefaultSensorStatus.RUNNING if settings.automation.on else dg.DefaultSensorStatus.STOPPED

    def made(name: str, reports: Reports, description: str) -> dg.SensorDefinition:
        @dg.sensor(
            name=name,
            jobs=targets,
            minimum_interval_seconds=settings.automation.interval_s,
            default_status=on,
            description=description,
        )
        def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
            memory = msgspec.json.decode(context.cursor, type=Memory) if context.cursor else Memory()
            lake = Lake.open(settings, read_only=True)
            return _answer(context, settings, lake, memory.after(reports(lake, settings)))

        return look

    return [
        made(
            DRIFT,
            events.drift,
            "Asks for a training when a trading day drifted: features first where they changed, then models and champion.",
        ),
        made(PERFORMANCE, events.performance, "Asks for a training of a forecaster that errs more than at its gate."),
    ]


def _answer(context: dg.SensorEvaluationContext, settings: Settings, lake: Lake, memory: Memory) -> dg.SensorResult:
    """A request and a cursor without what it answers, or why there is none and a cursor with all that waits."""
    waiting, runs = list(memory.waiting), context.instance
    # A tick that asked and died before its cursor was kept has asked.
    while waiting and runs.get_runs_count(dg.RunsFilter(job_name=RETRAIN, tags={EVENT: waiting[0].event})):
        waiting.pop(0)
    left = Memory(memory.seen, memory.handled, waiting)
    if not waiting:
        newest = max(memory.seen.values(), default=None)
        return _skip(f"nothing new up to {newest}" if newest else "no report yet", left)
    event, reason = waiting[0].event, "; ".join(f"{each.event}: {each.words}" for each in waiting)
    why = retraining.held(settings, runs, now=datetime.now(UTC))
    if why:
        return _skip(f"{event} waits: {why}", left)
    made = runs.get_runs(dg.RunsFilter(job_name=DAILY, tags={EVENT: event}), limit=1)
    if made and made[0].status != dg.DagsterRunStatus.SUCCESS:
        state = "is under way" if not made[0].is_finished else "did not succeed; correct the cause and run it again"
        return _skip(f"{event} waits: run {made[0].run_id}, which makes the features again, {state}", left)
    assert context.repository_def is not None
    graph = context.repository_def.asset_graph
    request = None if made else retraining.features(lake, settings, graph, event=event, reason=reason)
    if request is not None:
        return dg.SensorResult(run_requests=[request], cursor=left.text())
    week = retraining.newest_week(lake)
    if week is None:
        return _skip(f"{event} waits: gold/labels has no rows to learn from", left)
    names = sorted({name for report in waiting for name in report.names})
    request = retraining.models(settings, week, names, event=event, reason=reason)
    return dg.SensorResult(run_requests=[request], cursor=Memory(memory.seen, memory.handled, []).text())


def _skip(why: str, memory: Memory) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=why, cursor=memory.text())
