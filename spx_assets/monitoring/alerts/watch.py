"""A look at the service and the machine: what has come to be wrong since the look before becomes an alert, once.

Belongs here: limits, the conditions that stand, the look's own memory between two runs. Does not: readings (`service_metrics`,
`machine`), delivery.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from spx_assets.monitoring.alerts import machine, service_metrics
from spx_assets.monitoring.alerts.raising import Alert, raise_alert
from spx_assets.monitoring.alerts.service_metrics import Counters, MetricsError
from spx_assets.scoring.artifact import write_atomic
from spx_assets.settings import Settings
from spx_assets.settings.alerts import Severity

FILE = "watch.json"
SLOW_SHARE = 0.05
"""A twentieth of the answers may be slower than the limit: the limit is one of their 95th percentile."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look leaves for the next one. `standing` are conditions that were wrong, by the instant they were first seen."""

    counters: Counters | None = None
    processors: machine.Processors | None = None
    standing: dict[str, datetime] = msgspec.field(default_factory=dict)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong now."""

    name: str
    kind: str
    severity: Severity
    title: str
    message: str


def look(settings: Settings, *, now: datetime | None = None) -> list[Condition]:
    """Everything that is wrong; what was not at the look before is raised as an alert."""
    at, path = now or datetime.now(UTC), settings.home / "monitoring" / FILE
    before, rules = _before(path), settings.alerts
    counters, found = before.counters, list[Condition]()
    if rules.service_url:
        try:
            counters = service_metrics.read(rules.service_url, rules.service_key.get_secret_value())
            found += _service(settings, service_metrics.between(before.counters or Counters(), counters))
        except MetricsError as error:
            found.append(_serving("silent", "critical", "The service does not answer", str(error)))
    reading = machine.read(settings.home, before.processors, machine.processors())
    found += _machine(settings, reading)
    standing = {each.name: before.standing.get(each.name, at) for each in found}
    for each in found:
        if each.name not in before.standing:
            raise_alert(settings, _alert(each, since=at), now=at)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.encode(Look(counters=counters, processors=reading.since, standing=standing)))
    return found


def _before(path: Path) -> Look:
    """What the look before left; nothing where there was none, or where its file is of another version of this room."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Look)
    except (FileNotFoundError, msgspec.DecodeError):
        return Look()


def _service(settings: Settings, since: Counters) -> Iterator[Condition]:
    rules = settings.alerts
    if since.requests < rules.min_requests:
        return
    errors, slow = since.errors / since.requests, service_metrics.slower_than(since, rules.latency_ms / 1000)
    if errors > rules.error_share:
        told = f"{since.errors:.0f} of {since.requests:.0f} answers since the last look were errors (5xx other than 503), "
        yield _serving(
            "errors", "critical", f"{errors:.0%} of the answers are errors", told + f"more than {rules.error_share:.0%}."
        )
    if slow > SLOW_SHARE:
        told = f"{slow:.0%} of {since.requests:.0f} answers since the last look took longer than {rules.latency_ms:g} ms; "
        yield _serving("latency", "warning", "The service is slow", told + f"at most {SLOW_SHARE:.0%} may.")


def _machine(settings: Settings, now: machine.Reading) -> Iterator[Condition]:
    rules = settings.alerts
    busy = "its processors were {:.0f} % busy since the last look: a training takes all of them, anything else should not."
    limits: tuple[tuple[str, float | None, float, Severity, str], ...] = (
        ("cpu", now.cpu, rules.cpu_percent, "info", busy),
        ("memory", now.memory, rules.memory_percent, "warning", "{:.0f} % of its memory is in use; end what is not needed."),
        ("disk", now.disk, rules.disk_percent, "critical", "{:.0f} % of the home's disk is in use; see `spx doctor`."),
    )
    for name, share, limit, severity, words in limits:
        if share is not None and share > limit:
            said = f"The machine: {words.format(share)} Limit: {limit:g} %."
            yield Condition(
                name=f"machine {name}", kind="machine", severity=severity, title=f"The machine's {name}", message=said
            )


def _serving(name: str, severity: Severity, title: str, message: str) -> Condition:
    return Condition(name=f"serving {name}", kind="serving", severity=severity, title=title, message=message)


def _alert(condition: Condition, *, since: datetime) -> Alert:
    return Alert(
        kind=condition.kind,
        severity=condition.severity,
        title=condition.title,
        message=condition.message,
        source="watch",
        key=f"{condition.name} {since.isoformat()}",
    )
