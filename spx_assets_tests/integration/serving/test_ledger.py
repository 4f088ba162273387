"""The ledger of a real service: killed under load, out of disk, read back over HTTP."""

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving.journal import paths
from serving.ledger import recorded
from serving.ledger.history import Wanted
from serving.ledger.recorder import Ledger
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.test_http import assert_problem

CLIENTS, ANSWERED = 4, 150
BODY = json.dumps({"instrument": "SPX500_USD"})


def journal_of(home: Path) -> Path:
    return home / "serving" / "journal" / "predictions"


@contextmanager
def load(port: int) -> Iterator[list[str]]:
    """Clients that ask until the service is gone; the ids of the answers they have read whole."""
    answered: list[str] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while True:
                connection.request("POST", "/predict", BODY, {"content-type": "application/json"})
                answer = connection.getresponse()
                body = json.loads(answer.read())
                assert answer.status == 200, body
                answered.append(body["id"])
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield answered
    finally:
        for client in clients:
            client.join(20)


def test_every_answered_id_is_in_the_ledger_once_after_kill_9_under_load(own_home: Path) -> None:
    settings, told = homes.settings_of(own_home), list[str]()
    homes.model(settings)
    for _ in range(3):
        with homes.running(own_home, SPX_SERVING__LEDGER__FLUSH_S="0.1") as service:
            with load(service.client.base_url.port or 0) as answered:
                while len(answered) < ANSWERED:
                    time.sleep(0.005)
                service.process.kill()
            service.process.wait(20)
        told += answered
    # What the last one left is shown before anybody takes it over, and once when it lies in both.
    assert set(told) <= set(shown(settings))
    flusher = Ledger(settings).flusher
    flusher.round()
    assert (flusher.problem, flusher.damage, paths(journal_of(own_home))) == (None, None, [])
    lake = Lake.open(settings)
    stored = lake.sql("SELECT id FROM serving.predictions")["id"].to_list()
    assert len(stored) == len(set(stored))
    assert set(told) <= set(stored)
    assert sorted(shown(settings)) == sorted(stored)
    lake.close()
    # What was recorded and not received: at most the request that each client had under way at each kill.
    assert 3 * ANSWERED <= len(told) <= len(stored) <= len(told) + 3 * CLIENTS


def shown(settings: Settings) -> list[str]:
    page = recorded.page(settings, journal_of(settings.home), Wanted(), limit=100_000)
    return [answer.id for answer in page.predictions]


@pytest.fixture
def small_disk(own_home: Path) -> Iterator[Path]:
    """A disk of 64 KiB for the journal."""
    folder = journal_of(own_home)
    folder.mkdir(parents=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"a disk of one's own needs the right to mount: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(os.urandom(512))


def test_on_a_full_disk_nothing_is_answered_and_room_is_enough_to_go_on(own_home: Path, small_disk: Path) -> None:
    homes.model(homes.settings_of(own_home))
    with homes.running(own_home, SPX_SERVING__LEDGER__FLUSH_S="600") as service:
        told = [service.predict().json()["id"]]
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            fill(filler)
        for _ in range(200):  # to the end of the page that the file has already
            answer = service.predict()
            if answer.status_code != 200:
                break
            told.append(answer.json()["id"])
        assert_problem(answer, 503, "ledger_unavailable")
        assert "No space left on device" in answer.json()["detail"]
        assert any("ledger: the journal" in problem for problem in service.get("/health").json()["problems"])
        assert_problem(service.predict(), 503, "ledger_unavailable")
        filler.unlink()
        told.append(service.predict().json()["id"])
        assert service.get("/health").json()["status"] == "healthy"
        shown = [answer["id"] for answer in service.get("/predictions/history?limit=1000").json()["predictions"]]
        assert shown == told[::-1]


def test_what_was_answered_is_read_back_over_http(service: homes.Running) -> None:
    given = service.predict().json()
    own = service.get(f"/predictions/{given['id']}").json()
    assert {name: own[name] for name in own.keys() & given.keys()} == {name: given[name] for name in own.keys() & given.keys()}
    assert own["outcome"] is None
    assert service.get(f"/predictions/{given['id'].upper()}").json() == own
    listed = service.get(f"/predictions/history?limit=1&instrument=SPX500_USD&start={own['answered_at']}").json()
    assert listed["predictions"] == [own]
    for all_of_them in ("start=0001-01-01T00:00:00Z", "end=9999-12-31T23:59:59.999999Z", "end=9999-12-31T23:59:59%2B05:00"):
        assert service.get(f"/predictions/history?limit=1&{all_of_them}").json()["predictions"] == [own], all_of_them
    for none in ("end=0001-01-01T00:00:00Z", "start=9999-12-31T23:59:59Z", "start=9999-12-31T00:00:00&end=0001-01-01T00:00:00"):
        assert service.get(f"/predictions/history?{none}").json()["predictions"] == [], none
    assert service.get("/predictions/history?instrument=EUR_USD").json() == {"predictions": [], "next_cursor": None}
    (signal,) = service.get("/signals/active").json()["signals"]
    assert (signal["instrument"], signal["horizon_minutes"], signal["signal"]) == ("SPX500_USD", 30, given["signal"])
    assert (signal["timestamp"], signal["expires_at"]) == ("2025-10-15T15:59:00Z", "2025-10-15T16:30:00Z")
    assert_problem(service.get("/predictions/0199e899-134b-774b-8000-000000000000"), 404, "unknown_prediction")
    assert_problem(service.get("/predictions/none"), 404, "unknown_prediction")
    late = "ffffffff-ffff-7fff-bfff-ffffffffffff"
    assert_problem(service.get(f"/predictions/{late}"), 404, "unknown_prediction")
    beyond = ("start=0001-01-01T00:00:00%2B05:00", "end=9999-12-31T23:59:59-05:00", f"cursor={late}")
    for wrong in ("limit=0", "limit=1001", "limit=x", "cursor=x", "start=yesterday", *beyond):
        assert_problem(service.get(f"/predictions/history?{wrong}"), 400, "bad_request")
