"""Calls are remembered, and days are told what they took."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import dagster as dg
import polars as pl
import pytest

from spx_assets.automation.jobs import COSTS as JOB
from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import COSTS
from spx_assets.monitoring import costs
from spx_assets.monitoring.alerts import findings
from spx_assets.monitoring.costs import Run
from spx_assets.settings import CostSettings, Settings
from spx_assets.sources import spent
from spx_assets.sources.errors import NotFoundError
from spx_assets.sources.http import Client
from spx_assets_tests import lakes

WEEK = date(2025, 10, 12)
MONDAY = datetime(2025, 10, 13, 15, tzinfo=UTC)


@pytest.fixture
def address() -> Iterator[str]:
    """A provider that answers /there and fails the first time it is asked for /busy."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            busy = self.path == "/busy" and asked.count("/busy") == 1
            self.send_response(503 if busy else 404 if self.path == "/gone" else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_every_attempt_counts_for_the_home_it_was_made_for(address: str, settings: Settings) -> None:
    settings.home.mkdir()
    with Client("Finnhub", address, timeout_s=5, sleep=lambda _: None) as http:
        http.get("/there")
        with spent.counted(settings.home):
            http.get("/there")
            http.get("/busy")
            with pytest.raises(NotFoundError):
                http.get("/gone")
    now = datetime.now(UTC)
    (hour,) = spent.hours(settings.home, now - timedelta(hours=2), now)
    assert (hour.provider, hour.calls) == ("Finnhub", 4)
    assert spent.hours(settings.home, now - timedelta(days=2), now - timedelta(days=1)) == []


def test_a_day_is_told_its_calls_and_minutes_and_their_cost(settings: Settings) -> None:
    prices = CostSettings(per_minute=0.5, per_call={"Finnhub": 0.01}, per_day=6.0, per_month=1000.0)
    lake = lakes.fresh(settings.model_copy(update={"costs": prices}))
    with spent.counted(settings.home):
        for hours, provider in ((0, "Finnhub"), (1, "Finnhub"), (1, "GDELT"), (7, "Finnhub"), (-48, "GDELT")):
            spent.note(provider, now=MONDAY + timedelta(hours=hours))
    runs = [Run("retrain", MONDAY, 12.0), Run("retrain", MONDAY, 3.0), Run("daily", MONDAY - timedelta(days=30), 99.0)]
    (chunk,) = costs.by_week(lake, [WEEK], runs)
    assert chunk.frame.select(pl.exclude("ts")).rows() == [
        (date(2025, 10, 13), "Finnhub", "calls", 2.0, 0.01, 0.02),
        (date(2025, 10, 13), "GDELT", "calls", 1.0, None, None),
        (date(2025, 10, 13), "retrain", "minutes", 15.0, 0.5, 7.5),
        (date(2025, 10, 14), "Finnhub", "calls", 1.0, 0.01, 0.01),
    ]
    day = chunk.frame.filter(pl.col("trading_day") == date(2025, 10, 13))
    assert costs.spent_beyond(day, prices) == [costs.Total("2025-10-13", 7.52, 6.0)]
    assert costs.spent_beyond(chunk.frame, prices) == []
    assert [total.period for total in costs.spent_beyond(chunk.frame, CostSettings(per_month=7.0))] == ["2025-10"]
    lake.upsert(COSTS, day)
    (alert,) = findings.look(lake, lake.settings, now=MONDAY)
    assert alert.message == "everything: 7.52 of 6 of cost were used in 2025-10-13; until it ends no run starts by itself."


def test_the_job_counts_the_runs_of_the_week_of_the_wall(settings: Settings) -> None:
    lake: Lake = lakes.fresh(settings)

    @dg.op
    def nothing() -> None:
        """Takes a moment."""

    @dg.job(name="retrain")
    def retrain() -> None:
        nothing()

    with dg.DagsterInstance.ephemeral() as instance:
        assert retrain.execute_in_process(instance=instance).success
        job = build_defs(settings).resolve_job_def(JOB)
        week = job.partitions_def.get_last_partition_key() if job.partitions_def else None
        assert job.execute_in_process(instance=instance, partition_key=week).success
    rows = lake.read(COSTS)
    assert rows.filter(pl.col("item") == "retrain").select("unit", "price").rows() == [("minutes", None)]
    assert 0 < rows.filter(pl.col("item") == "retrain")["amount"][0] < 1
