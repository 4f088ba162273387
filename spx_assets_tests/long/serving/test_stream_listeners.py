"""Listeners that do not keep up with a market at full speed: real sockets, bounded in time."""

import asyncio
import re
import shutil
import socket
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.homes import Running
from spx_assets_tests.integration.serving.test_stream_sockets import SPEED, address, events

pytestmark = pytest.mark.long


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose market is made and whose model forecasts it."""
    target = tmp_path / "home"
    settings = homes.settings_of(target)
    homes.market(settings).close()
    homes.model(settings)
    return target


def dropped(service: Running) -> int:
    found = re.search(r"^spx_stream_listeners_dropped_total (\d+)", service.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_a_listener_that_falls_behind_is_told_and_cut_off(home: Path) -> None:
    """With room for one event a second one that comes at once is too many; with code 1013 it may come again."""

    async def listen(service: Running) -> int:
        for _ in range(20):
            async with connect(address(service), compression=None) as listener:
                try:
                    await asyncio.wait_for(events(listener, seconds=5.0), 6.0)
                except ConnectionClosed as closed:
                    return closed.rcvd.code if closed.rcvd else 0
        return 0

    with homes.running(home, **SPEED | {"SPX_STREAM__SPEED": "0", "SPX_STREAM__BACKLOG": "1"}) as service:
        assert asyncio.run(listen(service)) == 1013
        assert dropped(service) >= 1


def test_one_who_never_reads_is_cut_off_and_costs_nobody_an_event(home: Path) -> None:
    with homes.running(home, **SPEED | {"SPX_STREAM__SPEED": "0", "SPX_STREAM__BACKLOG": "64"}) as service:
        host, port = str(service.client.base_url).removeprefix("http://").rstrip("/").split(":")
        deaf = socket.create_connection((host, int(port)))
        deaf.sendall(f"GET /market-stream HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        deadline = time.monotonic() + 120
        while dropped(service) == 0 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert dropped(service) == 1  # some megabytes fit into the kernel's buffers before
        assert service.predict().status_code == 200
        deaf.close()
    shutil.rmtree(home)
