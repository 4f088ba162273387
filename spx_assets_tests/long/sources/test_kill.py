"""A download killed with SIGKILL in the middle goes on where it stood, in a new process."""

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from spx_assets.lake.connection import Lake
from spx_assets.settings import load
from spx_assets.sources import feeds
from spx_assets_tests.integration.sources.provider import Provider, running
from spx_assets_tests.integration.sources.test_dukascopy import put

pytestmark = pytest.mark.long
COMMAND = "from spx_assets.cli import import_; import_.app()"
ARGUMENTS = ["candles", "--provider", "dukascopy", "--instrument", "EUR_USD", "--from", "2019-01-07", "--to", "2019-01-12"]


def start(provider: Provider) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "SPX_DUKASCOPY__URL": f"{provider.url}/feed"}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *ARGUMENTS], env=environment, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )


def test_a_killed_import_resumes_without_asking_twice() -> None:
    with running() as provider:
        for day in range(7, 12):
            put(provider, "EURUSD", date(2019, 1, day), 114_000 + day)
        provider.hold_after = 5
        first = start(provider)
        deadline = time.monotonic() + 120
        while len(provider.asked) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert len(provider.asked) == 6
        provider.hold_after = None
        again = start(provider)
        said = again.communicate(timeout=120)[0].decode()
        assert again.returncode == 0
        assert "EUR_USD\tdukascopy\tEURUSD_20190107T0000_20190112T0000.parquet\t7200\t7080\t120 market_closed" in said
        assert provider.asked[6:] == provider.asked[5:6] + provider.asked[7:]
        assert len(provider.asked) == 6 + 5
    lake = Lake.open(load())
    assert feeds.candles(lake, [date(2019, 1, 6)]).frame.height == 7080
