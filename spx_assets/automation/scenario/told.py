"""What the scenario saw happen, and what it found recorded at its end.

Belongs here: the timeline, the records that must be there once each. Does not: making anything happen (`market`, `loop`).
"""

import time
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg
import polars as pl

from spx_assets import SpxError
from spx_assets.automation.jobs import RETRAIN
from spx_assets.lake import Lake
from spx_assets.lake.model_tables import PROMOTIONS
from spx_assets.lake.monitoring_tables import ALERTS


class ScenarioError(SpxError):
    """The scenario's home cannot be used, or the loop did not close as it should."""


@dataclass
class Timeline:
    """Seconds after the daily cycle began at which each thing was seen."""

    began: float = field(default_factory=time.monotonic)
    seen: dict[str, float] = field(default_factory=dict)

    def mark(self, what: str) -> None:
        self.seen.setdefault(what, round(time.monotonic() - self.began, 1))


@dataclass(frozen=True)
class Verdict:
    """What the gate said of one candidate. `over` is the champion before it; None where there was none to beat."""

    verdict: str
    version: str
    over: str | None
    reason: str


@dataclass(frozen=True)
class Told:
    """What was recorded since the market changed: retrain runs, verdicts and promotion alerts by forecaster, drift alerts."""

    retrain_runs: list[str]
    verdicts: dict[str, list[Verdict]]
    drift_alerts: int
    promoted: dict[str, int]

    def problems(self, names: list[str]) -> list[str]:
        """What is not as it should be."""
        wrong = [f"{len(self.retrain_runs)} retrain runs"] if len(self.retrain_runs) != 1 else []
        wrong += [
            f"{len(self.verdicts.get(name, []))} verdicts on {name}" for name in names if len(self.verdicts.get(name, [])) != 1
        ]
        wrong += [f"{self.drift_alerts} drift alerts"] if self.drift_alerts != 1 else []
        wrong += [f"{alerts} promotion alerts of {name}" for name, alerts in self.promoted.items() if alerts != 1]
        return wrong


def recorded(lake: Lake, runs: dg.DagsterInstance, since: datetime) -> Told:
    """What the lake and the instance hold since then."""
    verdicts: dict[str, list[Verdict]] = {}
    for row in entered(lake, since).iter_rows(named=True):
        found = Verdict(row["verdict"], row["version"], row["champion_before"], row["reason"])
        verdicts.setdefault(row["model_name"], []).append(found)
    alerts = lake.read(ALERTS).filter(pl.col("created_at") > since)
    announced = alerts.filter(pl.col("kind") == "promotion")["key"].to_list()
    promoted = [name for name, told in verdicts.items() if "promoted" in {each.verdict for each in told}]
    return Told(
        retrain_runs=[run.run_id for run in runs.get_runs(dg.RunsFilter(job_name=RETRAIN))],
        verdicts=verdicts,
        drift_alerts=alerts.filter(pl.col("kind") == "drift").height,
        promoted={name: sum(key.startswith(f"{name} ") for key in announced) for name in promoted},
    )


def entered(lake: Lake, since: datetime) -> pl.DataFrame:
    """Verdicts since then on candidates that entered the gate, by forecaster."""
    return lake.read(PROMOTIONS).filter(pl.col("decided_at") > since, pl.col("rank") == 1).sort("model_name", "decided_at")
