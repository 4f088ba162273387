"""The panel of the system: how old the data are, whether model, Redis and lake are well, what was made last.

Belongs here: each part's state in a line, the newest partition records. Does not: judging forecasts (`serving.health`).
"""

from datetime import datetime

from serving import health
from serving.dashboard.contracts import Part, Run, State, System
from serving.problems import MarketClosed, Problem
from serving.service import Service
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake, serving_tables
from spx_assets.lake.live_tables import CANDLES_LIVE
from spx_assets.lake.tables import FEEDS, registry

MADE = (
    *("bronze.candles", "bronze.news", "silver.technical", "gold.market_features", "gold.news_signals", "gold.forecasts"),
    *("models.versions", "monitoring.drift_reports"),
)
"""Tables whose last run is shown: one of each layer, and what people wait for."""
PASSING = (*serving_tables.ALL, CANDLES_LIVE, FEEDS)
"""What is written every few seconds and is no run: reading all eight tables again is 0.2 s of CPU."""
_NEWEST = "(SELECT asset, committed_at AS at, week, rows, run_id FROM {} ORDER BY committed_at DESC, week DESC LIMIT 1)"


def of(service: Service, runs_of: "Runs", *, started_at: datetime, version: str) -> System:
    """The state of the service now; reads the lake."""
    found = health.report(service)
    choices: dict[str, list[int]] = {}
    for instrument, horizon in sorted(service.by_default()):
        choices.setdefault(instrument, []).append(horizon)
    for instrument in sorted(service.vectors.live):
        choices.setdefault(instrument, [])
    runs, lake = runs_of.read(service)
    return System(
        health=found,
        parts=[*_data(service), _models(service), lake, _redis(service), _ledger(service)],
        runs=runs,
        choices=choices,
        started_at=started_at,
        version=version,
    )


def _data(service: Service) -> list[Part]:
    parts = []
    for name in sorted(service.vectors.live.keys() | service.models.instruments()):
        vector, live = service.vectors.vectors.get(name), service.vectors.live.get(name)
        if vector is None:
            why = service.vectors.failed.get(name) or (
                "no feed; import candles with `spx import candles` or start with `spx demo`" if live is None else "no vector yet"
            )
            parts.append(Part(name=name, state="off" if live is None else "bad", text=why))
            continue
        told = f"last bar {vector.ts:%Y-%m-%d %H:%M} UTC"
        problem: Problem | None = None
        try:
            service.freshness.age_s(service.freshness.vector(name))
        except Problem as error:
            problem = error
        kind = "live feed" if live else "standing feed, its clock moves with new bars"
        if problem is None:
            parts.append(Part(name=name, state="ok", text=f"{told}; {kind}"))
        else:
            state: State = "off" if isinstance(problem, MarketClosed) else "bad"
            parts.append(Part(name=name, state=state, text=f"{told}; {problem.detail}"))
    return parts


def _models(service: Service) -> Part:
    models, refused = service.models.models, service.models.refused
    if refused:
        return Part(name="Models", state="bad", text="; ".join(f"{name}: {why}" for name, why in sorted(refused.items())))
    if not models:
        return Part(name="Models", state="bad", text="none is loaded; train one with `spx train`")
    names = ", ".join(f"{name} ({model.gate.replace('_', ' ')})" for name, model in sorted(models.items()))
    passed = all(model.passed for model in models.values())
    return Part(name="Models", state="ok" if passed else "warn", text=f"{len(models)} loaded: {names}")


def _redis(service: Service) -> Part:
    if not service.settings.redis_url.get_secret_value():
        return Part(name="Redis", state="off", text="not configured: vectors are kept in this process (SPX_REDIS_URL)")
    problems = service.stream.problems()
    return Part(name="Redis", state="bad" if problems else "ok", text="; ".join(problems) or "connected, new bars come from it")


def _ledger(service: Service) -> Part:
    problems = service.ledger.problems()
    waiting = f"{service.ledger.waiting_bytes / 1024:,.0f} KiB wait for the lake"
    return Part(
        name="Ledger", state="bad" if problems else "ok", text="; ".join(problems) or f"every answer is written; {waiting}"
    )


class Runs:
    """What was made last of each table, read again when the lake has changed in more than answers and streamed bars."""

    def __init__(self) -> None:
        self._snapshot: int | None = None
        self._runs: list[Run] = []

    def read(self, service: Service) -> tuple[list[Run], Part]:
        """The newest first, and how the lake is."""
        try:
            lake = Lake.open(service.settings, read_only=True)
            snapshot = lake.snapshot()
            if self._snapshot is None or not lake.only_changed(PASSING, self._snapshot, snapshot):
                tables = [registry()[name] for name in MADE]
                there = [table for table in tables if lake.listing(table, snapshot).exists]
                newest = " UNION ALL ".join(_NEWEST.format(table.partitions) for table in there)
                found = lake.sql(newest).sort("at", descending=True).iter_rows(named=True) if there else ()
                self._runs = [Run(**row) for row in found]
            self._snapshot = snapshot
        except READ_ERRORS as error:
            return [], Part(name="Lake", state="bad", text=str(error))
        return self._runs, Part(name="Lake", state="ok", text=f"readable at snapshot {snapshot}")
