"""`spx serve --workers 2`: two processes on one socket, what becomes of one that is killed, and of both without their parent."""

import http.client
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from spx_assets_tests.integration.serving import homes

TWO = """
import sys
from serving.run import serve
from spx_assets.settings import load
serve(load(), host="127.0.0.1", port=int(sys.argv[1]), workers=2)
"""
CONNECTIONS = 30


def workers(parent: int) -> set[int]:
    """The children, which all serve."""
    return {child.pid for child in psutil.Process(parent).children() if serves(child.pid)}


def serves(pid: int) -> bool:
    """Whether there is such a process that has not ended: of one that was killed something is listed until its parent looks."""
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def answering(service: homes.Running) -> dict[int, int]:
    """How many of some connections, each of which is answered, the workers hold."""
    at = service.client.base_url
    clients = [http.client.HTTPConnection(at.host, at.port, timeout=30) for _ in range(CONNECTIONS)]
    try:
        for client in clients:
            client.request("GET", "/health/live")
            answer = client.getresponse()
            answer.read()
            assert answer.status == 200
        held = {pid: connections(pid) for pid in workers(service.process.pid)}
    finally:
        for client in clients:
            client.close()
    assert sum(held.values()) >= CONNECTIONS
    return held


def connections(pid: int) -> int:
    """How many are open; of a process that has just been killed none."""
    with suppress(psutil.NoSuchProcess):
        return sum(one.status == "ESTABLISHED" for one in psutil.Process(pid).net_connections("tcp4"))
    return 0


def told(service: homes.Running) -> dict[str, float]:
    """Answers of /health/live that each worker has counted, as whichever is asked tells them."""
    text = httpx.get(service.client.base_url.join("/metrics"), verify=False).text
    [family] = [family for family in text_string_to_metric_families(text) if family.name == "spx_http_requests"]
    return {found.labels["worker"]: found.value for found in family.samples if found.labels["route"] == "/health/live"}


def until(condition: Callable[[], bool], *, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_worker_is_replaced_while_the_other_answers_and_both_end_with_their_parent(own_home: Path) -> None:
    homes.model(homes.settings_of(own_home))
    with homes.running(own_home, script=TWO) as service:
        service.client.close()
        until(lambda: len(held := answering(service)) == 2 and min(held.values()) > 0)
        killed, left = sorted(workers(service.process.pid))
        os.kill(killed, signal.SIGKILL)
        assert answering(service)[left] > 0  # with the next one, if that is quick, and nobody else: each call was answered

        until(lambda: len(held := answering(service)) == 2 and killed not in held and min(held.values()) > 0)
        pair = workers(service.process.pid)
        assert left in pair
        until(lambda: set(told(service)) == {"worker-1", "worker-2"} and sum(told(service).values()) > CONNECTIONS)
        service.process.kill()
        until(lambda: not any(serves(pid) for pid in pair), patience_s=60.0)
