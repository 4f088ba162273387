"""What the service does when models, lake and clock change under it: a real process on a socket."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from serving.model_store import INPUTS
from serving.vectors import VectorStore
from spx_assets.lake import Lake
from spx_assets.scoring import current
from spx_assets.settings import Settings
from spx_assets.sources import bindings, feeds
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.test_http import assert_problem

LAST = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)


def test_the_served_vector_is_the_batch_row_to_the_bit(traded: tuple[Path, pl.DataFrame]) -> None:
    home, rows = traded
    store = VectorStore(homes.settings_of(home), lambda: datetime.now(UTC))
    store.refresh({"SPX500_USD": 1})
    found = store.vectors["SPX500_USD"]
    last = rows.tail(1)
    assert found.ts == last["ts"][0] == LAST
    assert found.recent[-1].tobytes() == last.select(INPUTS).to_numpy().astype(np.float32)[0].tobytes()
    assert np.isfinite(found.recent[-1]).sum() > 90


# What `spx serve` runs, by a clock that the test sets.
FIXED_CLOCK = """
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
import serving.app
from serving.run import serve
from spx_assets.settings import load
clock = Path(sys.argv[2])
serving.app.create_app = partial(serving.app.create_app, now=lambda: datetime.fromisoformat(clock.read_text()))
serve(load(), host="127.0.0.1", port=int(sys.argv[1]))
"""


def test_a_live_feed_is_fresh_then_stale_then_closed(own_home: Path, tmp_path: Path) -> None:
    settings = homes.settings_of(own_home)
    homes.model(settings)
    lake = Lake.open(settings)
    feed = bindings.feeds(lake)["SPX500_USD"]
    bindings.write(lake, [dataclasses.replace(feed, live=True)])
    lake.close()
    clock, end = tmp_path / "now", LAST + timedelta(minutes=1)
    clock.write_text(end.isoformat())
    with homes.running(own_home, script=FIXED_CLOCK, args=(str(clock),)) as service:
        assert service.predict().json()["feature_age_s"] == 0.0
        clock.write_text((end + timedelta(seconds=300)).isoformat())
        assert service.predict().json()["feature_age_s"] == 300.0
        clock.write_text((end + timedelta(seconds=300.5)).isoformat())
        assert_problem(service.predict(), 503, "stale_features")
        assert reasons(service) == ["stale_features: the last bar of SPX500_USD ended 300 s ago"]
        clock.write_text("2025-10-18T12:00:00+00:00")
        closed = service.predict()
        assert_problem(closed, 503, "market_closed")
        assert closed.json()["next_open"] == "2025-10-19T21:00:00Z"
        assert service.get("/health/ready").status_code == 200


def reasons(service: homes.Running) -> list[str]:
    """The first words of each reason why the service is not ready."""
    answer = service.get("/health/ready")
    assert_problem(answer, 503, "not_ready")
    return [reason.partition(",")[0] for reason in answer.json()["reasons"]]


def test_a_service_started_on_an_empty_home_follows_what_appears_and_refuses_what_is_damaged(
    own_home: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    settings = homes.settings_of(empty)
    with homes.running(empty) as service:
        assert_problem(service.predict(), 503, "no_model")
        assert service.get("/models").json() == []
        assert reasons(service) == ["no_model: no model is loaded; train one with `spx train`"]

        first = homes.model(settings)
        assert_problem(service.until("/predict", lambda answer: answer.json()["code"] != "no_model"), 503, "lake_unavailable")
        assert reasons(service)[0].startswith("lake_unavailable: ")
        health = service.get("/health").json()
        assert health["status"] == "degraded"
        assert any(problem.startswith("lake: ") for problem in health["problems"])
        assert sorted(path.name for path in empty.iterdir()) == ["artifacts", "serving"]  # reading makes no lake

        for path in own_home.iterdir():
            shutil.move(path, empty / path.name)
        before = service.until("/predict", lambda answer: answer.status_code == 200).json()
        assert before["model_digest"] == first.manifest.digest
        # The vector answers a moment before the look at the lake has ended, and the ledger tries its commit again later.
        assert service.until("/health", lambda answer: answer.json()["status"] == "healthy").json()["problems"] == []
        assert service.get("/health/ready").json() == {"status": "ready", "problems": []}

        digest = homes.model(settings, version="20251016T160000Z-0001", bias=7.0).manifest.digest
        after = service.until("/predict", lambda answer: answer.json()["model_digest"] == digest).json()
        assert after["expected_return_bp"] == pytest.approx(before["expected_return_bp"] + 7.0, abs=1e-4)

        # Back to the first version, whose file has rotted since: the one that answers goes on.
        (first.folder / "model.onnx").write_bytes(b"\x80\x04pickle")
        current.replace(settings.artifacts, "spx500_h30", champion=first.manifest.version, challenger=None, flagged=None)
        degraded = service.until("/health", lambda answer: answer.json()["status"] == "degraded").json()
        assert "model.onnx was altered" in degraded["problems"][0]
        assert service.predict().json()["model_digest"] == digest
        ready = service.get("/health/ready").json()
        assert (ready["status"], ready["problems"]) == ("degraded", degraded["problems"])


def test_an_instrument_with_a_feed_but_no_bars_is_warming_up(tmp_path: Path) -> None:
    settings: Settings = homes.settings_of(tmp_path / "bare")
    homes.model(settings)
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    lake.close()
    store = VectorStore(settings, lambda: LAST)
    store.refresh({"SPX500_USD": 1})
    assert not store.vectors
    assert "no bar" in store.failed["SPX500_USD"]


SOME_PREDICTIONS = """
import json, os, re, signal, sys, threading, time, urllib.request
from spx_assets.cli import main
_, port, told, past = sys.argv

def predict(**asked):
    body = json.dumps({"instrument": "SPX500_USD", **asked}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request))

def ask():
    while True:
        try:
            answer = predict()
            break
        except urllib.error.URLError:
            time.sleep(0.1)
    for minute in range(10):
        predict(timestamp=f"{past}:{minute:02d}:00Z", model_version=answer["model_version"])
    loaded = sorted({name.split(".")[0] for name, module in sys.modules.items() if module})
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])  # ru_maxrss counts the parent's too
    report = {"answer": answer, "modules": loaded, "peak_kb": peak}
    open(told, "w").write(json.dumps(report))

def end():
    try:
        ask()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end).start()
sys.argv = ["spx", "serve", "--port", port]
main()
"""


def test_a_prediction_loads_no_training_library_and_stays_small(own_home: Path, tmp_path: Path) -> None:
    homes.model(homes.settings_of(own_home))
    report = tmp_path / "report.json"
    command = [sys.executable, "-c", SOME_PREDICTIONS, str(homes.free_port()), str(report), "2025-10-15T14"]
    ended = subprocess.run(command, env={**os.environ, "SPX_HOME": str(own_home)}, capture_output=True, timeout=120, check=False)
    # The server ends in order on the signal; whether the signal is raised again after that is a matter of timing.
    assert ended.returncode in (0, -signal.SIGTERM), ended.stderr.decode()
    assert report.is_file(), ended.stderr.decode()
    found = json.loads(report.read_text())
    assert found["answer"]["features_used"] == len(INPUTS)
    assert {"dagster", "torch", "lightgbm", "xgboost", "sklearn", "mlflow", "onnx", "optuna", "scipy"}.isdisjoint(
        found["modules"]
    )
    assert found["peak_kb"] <= 300 * 1024
