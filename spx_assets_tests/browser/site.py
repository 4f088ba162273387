"""A home with something in every panel, and the real service over it on a port that it keeps.

Belongs here: what the tests of the page share. Does not: assertions, the browser (`conftest`).
"""

import json
import os
import socket
import subprocess
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from serving.model_store import INPUTS
from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS, REPORTS
from spx_assets.lake.monitoring_tables import FEATURE_DRIFT
from spx_assets.lake.news_tables import NEWS
from spx_assets.lake.serving_tables import PREDICTIONS
from spx_assets.scoring import artifact, settlement
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import Settings
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.forks import Forked, forker
from spx_assets_tests.unit.scoring import toy

VERSION, INSTRUMENT = "20251015T160000Z-0001", "SPX500_USD"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>Stocks & bonds"
TITLES = (
    "Index futures rise as yields ease",
    "Chip maker cuts its outlook for the quarter",
    "Fed officials see no hurry to move rates",
)
METRICS = {
    "auc": 0.6123, "log_loss": 0.6711, "log_loss_base": 0.6925, "brier": 0.2391, "brier_base": 0.2498, "accuracy": 0.581,
    "accuracy_base": 0.507, "ece": 0.0187, "ece_band": 0.0419, "rmse_bp": 14.97, "rmse_zero_bp": 15.22, "rmse_ar1_bp": 15.16,
    "effective_obs": 530.0,
}  # fmt: skip
SWING = np.linspace(0.0, 1.0, 40)
REPORT: dict[str, Any] = {
    "start": "2025-09-29T13:00:00Z",
    "end": "2025-10-15T15:30:00Z",
    "rows": 15935,
    "roc": [[float(x), float(x**0.7)] for x in SWING],
    "confusion": {"true_up": 4652, "false_up": 3215, "true_down": 4801, "false_down": 3180},
    "calibration": [
        {"rows": 1500, "probability": p, "share": p + 0.02, "low": p - 0.04, "high": p + 0.08}
        for p in (0.33, 0.38, 0.42, 0.45, 0.48, 0.51, 0.54, 0.57, 0.61, 0.66)
    ],
    "ece": 0.0187,
    "ece_band": 0.0419,
    "importance": [
        {"feature": name, "gain": 0.4 / (k + 1), "permutation": 0.016 / (k + 1) ** 1.6 - 0.0001, "rank": k + 1}
        for k, name in enumerate(INPUTS[:30])
    ],
}
DAYS, DRIFTED = 12, 3


def make(home: Path) -> None:
    """The whole home; 3 CPU s, most of them for the market."""
    settings = homes.settings_of(home)
    lake = homes.market(settings)
    made = model(settings)
    _news(lake)
    _answers(lake, made.manifest.digest)
    _drift(lake, settings)
    lake.close()


def model(settings: Settings) -> Artifact:
    """A toy model with the report of a trained one, promoted."""
    described = toy.manifest(
        INPUTS, version=VERSION, feature_set_hash=catalog.feature_set_hash(INPUTS), metrics=METRICS, medians=(0.1,) * len(INPUTS)
    )
    graph = toy.graph(homes.WEIGHTS, slope=0.1)
    golden = Forecaster(described, graph).golden(np.full((2, 1, len(INPUTS)), 0.5, np.float32))
    files = {"model.onnx": graph, "report.json": json.dumps(REPORT).encode()}
    made = artifact.write(settings.artifacts, msgspec.structs.replace(described, golden=golden), files)
    toy.serve(settings.artifacts, made)
    return made


def _rows(table: Any, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a contract, what they leave open filled with something of its type."""
    filled = {
        "VARCHAR": "x",
        "INTEGER": 1,
        "BIGINT": 1,
        "DOUBLE": 0.5,
        "BOOLEAN": False,
        "TIMESTAMPTZ": datetime(2025, 10, 15, tzinfo=UTC),
    }
    empty = {c.name: None if c.nullable else filled.get(c.type) for c in table.columns}
    return pl.DataFrame([empty | row for row in rows], schema=table.schema())


def _news(lake: Lake) -> None:
    """Articles to the newest scores, the newest of all with a title that is markup."""
    scored = lake.read("silver.news_sentiment").unique("article_id", keep="last", maintain_order=True)
    last = lake.read("bronze.candles", columns=["ts"])["ts"][-1]
    newest = scored.filter(pl.col("known_at") <= last).sort("known_at").tail(12)
    titles = [TITLES[k % len(TITLES)] for k in range(newest.height - 1)] + [HOSTILE]
    rows = []
    for row, title in zip(newest.iter_rows(named=True), titles, strict=True):
        told = dict.fromkeys(("known_at", "published_at", "first_seen_at", "ingested_at"), row["known_at"])
        url = "javascript:document.title='owned'" if title == HOSTILE else "https://news.example/story"
        told |= {"article_id": row["article_id"], "revision": row["revision"], "provider": "files", "source": "Newswire"}
        rows.append(told | {"title": title, "url": url, "time_precision": "minute"})
    lake.append(NEWS, _rows(NEWS, rows))


def _answers(lake: Lake, digest: str) -> None:
    """A forecast of every third of the last 600 bars, settled by the real job's function as far as their horizon has passed."""
    bars = lake.read("bronze.candles", columns=["ts", "close"]).tail(600).gather_every(3)
    rng = np.random.default_rng(7)
    rows = []
    for number, (ts, close) in enumerate(bars.iter_rows()):
        probability = float(rng.uniform(0.35, 0.65))
        expected = 20 * (probability - 0.5)
        direction = "up" if probability >= 0.5 else "down"
        at = {"id": f"019a{number:04d}-0000-7000-8000-000000000000", "answered_at": ts, "instrument": INSTRUMENT, "ts": ts}
        model = {"model_name": "spx500_h30", "model_version": VERSION, "model_digest": digest, "alias": "champion"}
        said = {"prediction": direction, "probability": probability, "confidence": max(probability, 1 - probability)}
        band = {"interval_low_bp": expected - 14.0, "interval_high_bp": expected + 14.0, "interval_level": 0.9}
        price = {"expected_return_bp": expected, "predicted_price": close * (1 + expected / 1e4), "horizon_minutes": 30}
        kind = {"gate": "promoted", "return_head": "ok", "signal": "hold", "tolerance_min": 5, "features_source": "online"}
        rows.append(at | model | said | band | price | kind)
    lake.append(PREDICTIONS, _rows(PREDICTIONS, rows))
    settlement.settle(lake, now=datetime.now(UTC))


def _drift(lake: Lake, settings: Settings) -> None:
    """Twelve measured days, the last with three of forty inputs off, and the report of that day."""
    last = calendar.trading_day(lake.read("bronze.candles", columns=["ts"])["ts"][-1])
    days = [calendar.shift_trading_days(last, -back) for back in range(DAYS - 1, -1, -1)]
    names = INPUTS[:40]
    reports = [_verdict(day, DRIFTED if day == last else k % 2) for k, day in enumerate(days)]
    features = []
    for n, day in enumerate(days):
        when = {"trading_day": day, "ts": calendar.day_window(day)[0], "instrument": INSTRUMENT, "p_adjusted": 0.0004}
        for k, name in enumerate(names):
            off = (k * 7) % 40 < DRIFTED
            features.append(when | {"feature": name, "statistic": 0.05 + 0.3 * off * n / DAYS, "drifted": off and day == last})
    lake.append(DRIFT_REPORTS, _rows(DRIFT_REPORTS, reports))
    lake.append(FEATURE_DRIFT, _rows(FEATURE_DRIFT, features))
    path = settings.home / "reports" / "drift" / f"{INSTRUMENT}-{last}.html"
    path.parent.mkdir(parents=True)
    path.write_text("<!doctype html><title>report</title><script>document.title = 'drawn by ' + origin</script>")
    page = {
        "trading_day": last,
        "ts": calendar.day_window(last)[0],
        "instrument": INSTRUMENT,
        "path": f"reports/drift/{path.name}",
    }
    lake.append(REPORTS, _rows(REPORTS, [page]))


def _verdict(day: date, drifted: int) -> dict[str, Any]:
    return {
        "trading_day": day, "ts": calendar.day_window(day)[0], "as_of": calendar.day_window(day)[1], "instrument": INSTRUMENT,
        "features": 40, "drifted_features": drifted, "share": drifted / 40, "drifted": drifted == DRIFTED,
        "reason": f"{drifted} of 40 inputs drifted",
    }  # fmt: skip


class Site:
    """The service of a home as its own process; `start` and `stop` keep its port.

    `whole`: started from nothing, as what is measured must be; else forked from one that has imported it.
    """

    def __init__(self, home: Path, *, whole: bool = False) -> None:
        self.home, self.port, self._whole = home, homes.free_port(), whole
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Forked | subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start it and wait for its first answer."""
        env = {**os.environ, "SPX_HOME": str(self.home), "SPX_SERVING__POLL_S": "0.2", **homes.NO_DAGSTER, **environment}
        log = self.home.parent / f"site-{self.port}.log"
        process = (homes.alone if self._whole else forker().fork)(homes.SERVE, [str(self.port)], env=env, log=log)
        self._process = process
        for _ in range(3_000):
            if process.poll() is not None:
                raise RuntimeError(f"the service ended: {log.read_text()[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"the service did not answer: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None
