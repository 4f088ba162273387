"""From POST /api/stream to the newest bar: `spx up` with its service, daemon, sensor and a launched run."""

import os
import sys
import time

import httpx
import pytest

from serving.keys import KeyStore
from spx_assets.cli import demo, processes, runs
from spx_assets.lake import Lake
from spx_assets.settings import load

pytestmark = pytest.mark.long


def test_articles_ordered_over_http_are_in_the_newest_bar_without_any_command() -> None:
    home = load().home
    home.mkdir(parents=True)
    (home / "settings.env").write_text("SPX_SIMULATOR__DAYS=5\n")
    settings = load(home)
    lake = Lake.open(settings)
    demo.bind_simulated(lake)
    with runs.backfill(settings) as plan:
        plan.run(["gold/news_signals"])

    def newest() -> tuple[float, float]:
        bar = lake.read("gold.news_signals").tail(1)
        return bar["article_count"][0], bar["avg_sentiment"][0]

    count, sentiment = newest()
    _, key = KeyStore(settings).create("newsroom", "operator")
    port = processes.free_port()
    up = [sys.executable, "-m", "spx_assets.cli", "up", "--only", "dagster", "--only", "serving"]
    up += ["--port", str(processes.free_port()), "--serving-port", str(port)]
    with (home / "up.log").open("wb") as log:
        child = processes.start(up, env=dict(os.environ), output=log)
        try:
            processes.wait_until_answers(f"http://127.0.0.1:{port}/health", child, patience_s=120)
            address = f"http://127.0.0.1:{port}/api/stream/negative"
            answer = httpx.post(address, json={"count": 5}, headers={"authorization": f"Bearer {key}"}, timeout=30)
            assert answer.status_code == 202, answer.text
            deadline = time.monotonic() + 180
            while newest()[0] == count and time.monotonic() < deadline:
                time.sleep(2)
        finally:
            processes.end([child], patience_s=30)
    assert newest()[0] == count + 5, (home / "up.log").read_text()[-4000:]
    assert newest()[1] < sentiment - 0.2
