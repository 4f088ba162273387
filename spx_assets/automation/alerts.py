"""When alerts are raised, delivered and summed up: three sensors, three jobs.

Belongs here: noticing that something waits or failed, asking for a run. Does not: what an alert says, how it travels
(`monitoring.alerts`).
"""

import hashlib
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from spx_assets.automation.schedules import UNDER_WAY
from spx_assets.lake import Lake
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.monitoring.alerts import delivery, digest, findings, kinds, raising, watch
from spx_assets.settings import Settings

DELIVER, DIGEST, WATCH = "deliver_alerts", "alert_digest", "watch"
FAILURES, FINDINGS = "run_failures", "findings"
INTERVAL_S = 30
MAX_RUNTIME = {MAX_RUNTIME_SECONDS_TAG: "900"}
"""A delivery over every channel takes seconds; after a quarter of an hour it hangs."""
RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""Of the op: the lake may be busy. A channel that fails is no failure of the run."""


@dg.op(name="tell_channels", required_resource_keys={"settings"}, retry_policy=RETRIES, out=dg.Out(dg.Nothing))
def _deliver(context: dg.OpExecutionContext) -> None:
    """Tells every channel of the alerts that wait."""
    done = delivery.deliver(context.resources.settings)
    context.log.info("delivered %d, held %d, to be tried again %d, given up %d", *_numbers(done))


@dg.op(name="raise_digest", required_resource_keys={"settings"}, retry_policy=RETRIES, out=dg.Out(dg.Nothing))
def _digest(context: dg.OpExecutionContext) -> None:
    """Raises the digest of the day."""
    context.log.info("digest %s", digest.make(context.resources.settings) or "not made: nothing to tell, or made before")


@dg.op(name="look_around", required_resource_keys={"settings"}, out=dg.Out(dg.Nothing))
def _watch(context: dg.OpExecutionContext) -> None:
    """Reads the service's metrics and the machine's state; what has come to be wrong becomes an alert."""
    found = watch.look(context.resources.settings)
    context.log.info("wrong now: %s", ", ".join(each.name for each in found) or "nothing")


@dg.job(name=DELIVER, tags=MAX_RUNTIME, description="Tell every channel of the alerts that wait.")
def deliver_alerts() -> None:
    _deliver()


@dg.job(name=DIGEST, tags=MAX_RUNTIME, description="Raise the daily digest: what was told and what was held since the last.")
def alert_digest() -> None:
    _digest()


@dg.job(name=WATCH, tags=MAX_RUNTIME, description="Look at the service's latency and errors, and at the machine.")
def look() -> None:
    _watch()


def jobs() -> list[dg.JobDefinition | UnresolvedAssetJobDefinition]:
    return [deliver_alerts, alert_digest, look]


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`watch` every five minutes, `alert_digest` once a day."""
    on = dg.DefaultScheduleStatus.RUNNING if settings.alerts.on else dg.DefaultScheduleStatus.STOPPED
    daily = f"0 {settings.alerts.digest_hour} * * *"
    return [
        dg.ScheduleDefinition(
            name=WATCH,
            job=look,
            cron_schedule="*/5 * * * *",
            execution_timezone="UTC",
            default_status=on,
            description="Looks at the service's latency and errors, and at the machine; what has come to be wrong is an alert.",
        ),
        dg.ScheduleDefinition(
            name=DIGEST,
            job=alert_digest,
            cron_schedule=daily,
            execution_timezone="America/New_York",
            default_status=on,
            description="Once a day, after the close: what was told since the last digest, and what was held back.",
        ),
    ]


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """`run_failures` and `findings` raise alerts, `deliver_alerts` asks for a delivery when one is due."""
    on = dg.DefaultSensorStatus.RUNNING if settings.alerts.on else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name=DELIVER,
        job=deliver_alerts,
        minimum_interval_seconds=INTERVAL_S,
        default_status=on,
        description="Asks for a delivery when alerts wait that nobody was told of.",
    )
    def waiting(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """The run key is made of the alerts and how often each was tried: the same state asks for one run."""
        due = delivery.due(Lake.open(settings, read_only=True), settings, now=datetime.now(UTC))
        if due.is_empty():
            return dg.SkipReason("no alert is due" if settings.alerts.channels else "SPX_ALERTS__CHANNELS names no channel")
        if context.instance.get_runs_count(dg.RunsFilter(job_name=DELIVER, statuses=UNDER_WAY)):
            return dg.SkipReason("a delivery is under way")
        state = " ".join(f"{made}:{tries or 0}" for made, tries in due.select("id", "attempts").rows())
        return dg.RunRequest(run_key=hashlib.sha256(state.encode()).hexdigest()[:32])

    @dg.run_failure_sensor(
        name=FAILURES,
        minimum_interval_seconds=INTERVAL_S,
        default_status=on,
        description="Raises an alert for every failed run but those that deliver alerts.",
    )
    def failed(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        # A delivery that fails would raise what the next one fails to deliver.
        if run.job_name == DELIVER:
            return dg.SkipReason(f"{DELIVER} failed; its run tells why")
        raising.raise_alert(settings, _failure(context))
        return None

    @dg.sensor(
        name=FINDINGS,
        minimum_interval_seconds=min(INTERVAL_S, settings.automation.interval_s),
        # What is found is kept for people to read even where no channel tells them.
        default_status=dg.DefaultSensorStatus.RUNNING if settings.automation.on else on,
        description="Raises alerts of what the newest reports say: drift, forecasters that became worse, no champion, no bars.",
    )
    def found(_: dg.SensorEvaluationContext) -> dg.SkipReason:
        lake, now = Lake.open(settings, read_only=True), datetime.now(UTC)
        known = set(lake.read(ALERTS)["id"])
        new = [alert for alert in findings.look(lake, settings, now=now) if alert.id not in known]
        for alert in new:
            raising.raise_alert(settings, alert, now=now)
        return dg.SkipReason("; ".join(alert.title for alert in new) or "nothing new")

    return [waiting, failed, found]


def _failure(context: dg.RunFailureSensorContext) -> raising.Alert:
    run = context.dagster_run
    steps = [event.step_failure_data.error for event in context.get_step_failure_events()]
    causes = [(error.cause or error).message.strip().splitlines()[0] for error in steps if error is not None]
    about = [f"{name} {run.tags[tag]}" for name, tag in (("week", "dagster/partition"), ("for", "spx/reason")) if tag in run.tags]
    said = causes[0] if causes else context.failure_event.message or "no error was recorded"
    return kinds.run_failure(run_id=run.run_id, job=run.job_name, error=said, tags=", ".join(about))


def _numbers(done: delivery.Delivered) -> tuple[int, int, int, int]:
    return done.delivered, done.held, done.waiting, done.failed
