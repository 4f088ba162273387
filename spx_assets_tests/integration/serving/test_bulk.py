"""The budget of bodies of many rows as callers meet it: a real process on a socket."""

import json
import socket
import time
from contextlib import ExitStack

import httpx
import numpy as np

from serving.batch import MAX_MATRIX
from serving.bulk import BUDGET
from serving.model_store import INPUTS
from spx_assets_tests.integration.serving.homes import Running

PATH = "/predict/matrix?instrument=SPX500_USD"
TYPE = {"content-type": "application/octet-stream"}
ROWS = np.zeros((3, len(INPUTS)), "<f4").tobytes()
ANNOUNCED = f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {TYPE['content-type']}\r\ncontent-length: {MAX_MATRIX}\r\n"


def test_who_comes_beyond_the_budget_is_told_when_to_come_again_and_is_answered_then(service: Running) -> None:
    refused = filled(service, pause_s=0.1) or filled(service, pause_s=1.0) or filled(service, pause_s=4.0)
    assert refused is not None
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "busy", "1")
    until = time.monotonic() + 60.0
    while (answered := service.client.post(PATH, content=ROWS, headers=TYPE)).status_code == 503:
        assert time.monotonic() < until
    assert (answered.status_code, len(answered.content)) == (200, 3 * 16)


def filled(service: Running, *, pause_s: float) -> httpx.Response | None:
    """What a further call is answered while others have announced what the budget is; None if not all of them were heard yet."""
    url = service.client.base_url
    with ExitStack() as held:
        for _ in range(BUDGET // MAX_MATRIX):
            connection = held.enter_context(socket.create_connection((url.host, url.port or 0), timeout=60))
            connection.sendall(ANNOUNCED.encode() + b"\r\n" + ROWS)
        time.sleep(pause_s)
        answered = service.client.post(PATH, content=ROWS, headers=TYPE)
        assert service.client.post("/predict", json={"instrument": "SPX500_USD"}).status_code == 200
    return answered if answered.status_code == 503 else None


def test_of_a_batch_whose_client_has_hung_up_no_more_is_answered(service: Running) -> None:
    version = service.predict().json()["model_version"]
    past = {"instrument": "SPX500_USD", "timestamp": "2025-10-15T15:30:00Z", "model_version": version}
    body = json.dumps({"requests": [past] * 100}).encode()
    url, before = service.client.base_url, answered(service)
    with socket.create_connection((url.host, url.port or 0), timeout=60) as connection:
        head = f"POST /predict/batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        until = time.monotonic() + 60.0
        while answered(service) == before:
            assert time.monotonic() < until
    time.sleep(0.5)
    ended = answered(service)
    time.sleep(0.3)
    assert before < answered(service) == ended < before + 50


def answered(service: Running) -> float:
    """How many forecasts the service has made."""
    return sum(
        float(line.split()[-1]) for line in service.get("/metrics").text.splitlines() if line.startswith("spx_predictions_total{")
    )


def test_a_body_without_a_length_is_read_to_its_end(service: Running) -> None:
    answered = service.client.post(PATH, content=iter([ROWS[:1000], ROWS[1000:]]), headers=TYPE)
    assert (answered.status_code, answered.headers["x-rows"]) == (200, "3")
