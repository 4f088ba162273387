"""A home with a simulated market and toy models in it, and the real service on a socket.

Belongs here: what integration tests of the service share. Does not: assertions.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from serving.model_store import INPUTS
from spx_assets import calendar
from spx_assets.features import batch, catalog, inputs, readiness
from spx_assets.lake import Chunk, Chunks, Lake, Window, tables
from spx_assets.lake.staleness import inputs_hashes
from spx_assets.news import signal_weeks
from spx_assets.scoring.artifact import Artifact
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests import lakes
from spx_assets_tests.integration.serving.forks import Forked, forker
from spx_assets_tests.unit.news import scored
from spx_assets_tests.unit.scoring import toy

WEIGHTS = tuple(0.001 * (k % 7 - 3) for k in range(len(INPUTS)))
"""Small weights of both signs, so that every input moves the answer and none drowns the others."""


def settings_of(home: Path) -> Settings:
    return Settings(home=home, simulator=SimulatorSettings(days=5))


def candles(settings: Settings) -> Lake:
    """Simulated candles of five trading days and their daily bars, in the lake."""
    lake = lakes.fresh(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
    commit(lake, "silver.daily_bars", batch.daily_bars(window(lake, "bronze.candles")))
    return lake


def market(settings: Settings) -> Lake:
    """The same and scored articles."""
    lake = candles(settings)
    articles(lake)
    return lake


def articles(lake: Lake) -> None:
    """Scored articles beside the candles of a home."""
    weeks, made = feeds.weeks_with_rows(lake), window(lake, "silver.news_sentiment")
    commit(lake, "silver.news_sentiment", Chunks([Chunk(tuple(weeks), scored.at_random(made.start, made.end, 600))]))


def window(lake: Lake, table: str) -> Window:
    weeks = tuple(feeds.weeks_with_rows(lake))
    start, end = calendar.week_window(weeks[0])[0], calendar.week_window(weeks[-1])[1]
    return Window(lake, tables.table(table), start, end, weeks, lake.snapshot())


def commit(lake: Lake, table: str, chunks: Chunks) -> None:
    """Chunks with the partition records that a run would have written of candles and daily bars."""
    node = {"bronze.candles": readiness.CANDLES, "silver.daily_bars": readiness.daily_bars(lake.settings)}.get(table)
    for chunk in chunks:
        hashes = dict.fromkeys(chunk.weeks, "inputs")
        if node:
            hashes = inputs_hashes(lake, node, chunk.weeks, fingerprints=chunk.fingerprints)
        asset = table.replace(".", "/")
        lake.replace(table, chunk, asset=asset, run_id="run", read_snapshot=lake.snapshot(), inputs_hashes=hashes)


def model_inputs(lake: Lake) -> pl.DataFrame:
    """gold/market_features and gold/news_signals of the home, made by the batch path through the lake, joined."""
    families = [family for family in catalog.MARKET_FAMILIES if family != "timeframes"]
    for family in families:
        commit(lake, f"silver.{family}", batch.by_day(window(lake, "bronze.candles"), family=family))
    commit(lake, "silver.timeframes", batch.timeframes(window(lake, "bronze.candles"), window(lake, "silver.daily_bars")))
    commit(
        lake,
        "gold.market_features",
        batch.market_features(*(window(lake, f"silver.{family}") for family in catalog.MARKET_FAMILIES)),
    )
    commit(
        lake,
        "gold.news_signals",
        signal_weeks.by_week(window(lake, "bronze.candles"), window(lake, "silver.news_sentiment")),
    )
    return inputs.read(lambda table, columns: lake.read(table, columns=columns), INPUTS, key=("instrument", "ts", "trading_day"))


def model(settings: Settings, *, version: str = "20251015T160000Z-0001", bias: float = 0.0, **changes: Any) -> Artifact:
    """A toy model over every input, promoted and served."""
    described = toy.manifest(INPUTS, **({"version": version, "feature_set_hash": catalog.feature_set_hash(INPUTS)} | changes))
    made = toy.write(settings.artifacts, described, WEIGHTS, bias=bias, slope=0.1)
    toy.serve(settings.artifacts, made)
    return made


@dataclass(frozen=True)
class Running:
    """A service process that answers."""

    client: httpx.Client
    process: Forked | subprocess.Popen[bytes]

    def predict(self, instrument: str = "SPX500_USD", **fields: Any) -> httpx.Response:
        return self.client.post("/predict", json={"instrument": instrument, **fields})

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def until(self, path: str, accept: Any, *, patience_s: float = 60.0) -> httpx.Response:
        """The first answer of GET `path`, or of POST /predict, that `accept` takes."""
        deadline = time.monotonic() + patience_s
        while True:
            answer = self.predict() if path == "/predict" else self.get(path)
            if accept(answer) or time.monotonic() > deadline:
                return answer
            time.sleep(0.05)


NO_DAGSTER = {"SPX_SERVING__DAGSTER_URL": "http://127.0.0.1:9"}
"""Nobody listens there: by default a test's POST /retrain would reach the Dagster that a developer has running."""
SERVE = """
import sys
from spx_assets.cli import main
sys.argv = ["spx", "serve", "--host", "127.0.0.1", "--port", sys.argv[1]]
main()
"""


STREAM = """
import sys
from spx_assets.cli import main
sys.argv = ["spx", "stream"]
main()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    home: Path, *, script: str = SERVE, args: tuple[str, ...] = (), whole: bool = False, **environment: str
) -> Iterator[Running]:
    """The real service of `home` as its own process on a free port, from its first answer to SIGTERM.

    `whole`: started from nothing, as what is measured must be; else forked from one that has imported it.
    """
    port = free_port()
    env = {**os.environ, "SPX_HOME": str(home), "SPX_SERVING__POLL_S": "0.1", **NO_DAGSTER, **environment}
    log = home.parent / f"service-{port}.log"
    process = (alone if whole else forker().fork)(script, [str(port), *args], env=env, log=log)
    try:
        # To read the authorities' certificates takes 40 to 80 ms of CPU, for a service without TLS.
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=False) as client:
            found = Running(client, process)
            _wait(found, log)
            yield found
    finally:
        process.terminate()
        process.wait(60)


def alone(script: str, args: list[str], *, env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A process of its own from its first import on."""
    with log.open("wb") as output:
        return subprocess.Popen([sys.executable, "-c", script, *args], env=env, stdout=output, stderr=output)


def _wait(service: Running, log: Path) -> None:
    for _ in range(3_000):
        if service.process.poll() is not None:
            raise RuntimeError(f"the service ended with {service.process.returncode}: {log.read_text()[-2000:]}")
        try:
            service.get("/health")
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the service did not answer: {log.read_text()[-2000:]}")
