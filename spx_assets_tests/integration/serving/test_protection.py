"""A service in production mode, as strangers and slow or rude clients meet it: a real process on a socket."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from serving.keys import KeyStore
from spx_assets.settings.serving import ServingSettings
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.test_http import assert_problem

PLANTED = {
    "SPX_SERVING__SECRET": "planted-server-secret-0123456789abcdef",
    "SPX_OANDA__TOKEN": "planted-oanda-token",
    "SPX_LAKE__S3_SECRET_ACCESS_KEY": "planted-s3-key",
    "SPX_NEWS__FINNHUB__TOKEN": "planted-finnhub-token",
}
LIMITS = {
    "SPX_SERVING__LIMITS__READ_S": "0.4",
    "SPX_SERVING__LIMITS__IDLE_S": "1",
    "SPX_SERVING__LIMITS__HEADERS": "20",
    "SPX_SERVING__LIMITS__HEADER_BYTES": "2048",
    "SPX_SERVING__LIMITS__CONNECTIONS": "30",
    # 100 at once, one more every 20 s: a machine on which a call takes a second refuses all the same.
    "SPX_SERVING__RATES__PER_ADDRESS": "0.05",
    "SPX_SERVING__RATES__BURST_S": "2000",
    "SPX_SERVING__WEB__PROXIES": '["127.0.0.1"]',
}


class Guarded:
    """The service, its keys and all it has said to a terminal."""

    def __init__(self, service: homes.Running, home: Path, keys: dict[str, str]) -> None:
        self.service, self.home, self.keys = service, home, keys
        self.port = service.client.base_url.port or 0
        self.log = home.parent / f"service-{self.port}.log"

    def get(self, path: str, role: str = "viewer", **more: Any) -> httpx.Response:
        return self.service.client.get(path, headers={"x-api-key": self.keys[role]}, **more)

    def raw(self, *parts: bytes, pause_s: float = 0.0, patience_s: float = 30.0) -> bytes:
        """What comes back to bytes sent with pauses between them, until the service closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience_s) as found:
            for part in parts:
                found.sendall(part)
                time.sleep(pause_s)
            said = b""
            while piece := found.recv(65536):
                said += piece
            return said


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    home = tmp_path_factory.mktemp("guarded") / "home"
    made = homes.settings_of(home).model_copy(
        update={"serving": ServingSettings(secret=SecretStr(PLANTED["SPX_SERVING__SECRET"]))}
    )
    keys = {role: KeyStore(made).create(f"the {role}", role)[1] for role in ("viewer", "operator")}  # type: ignore[arg-type]
    with homes.running(home, SPX_SERVING__MODE="production", **PLANTED, **LIMITS) as service:
        yield Guarded(service, home, keys)


def problem_of(said: bytes, status: int, code: str) -> dict[str, Any]:
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first.split()[1] == str(status), said
    assert (headers["content-type"], headers["connection"]) == ("application/problem+json", "close")
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert int(headers["content-length"]) == len(body)
    document: dict[str, Any] = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)
    return document


def test_reads_are_closed_but_for_who_holds_a_key(guarded: Guarded) -> None:
    for path in ("/", "/models", "/docs", "/docs/openapi.json", "/metrics", "/health", "/nowhere"):
        assert_problem(guarded.service.get(path), 401, "unauthorized")
    assert_problem(guarded.service.predict(), 401, "unauthorized")
    assert guarded.get("/").status_code == 200
    assert guarded.service.get("/health/live").json() == {"status": "alive"}


def test_a_socket_is_refused_with_a_document_and_opened_for_a_key_among_its_protocols(guarded: Guarded) -> None:
    asked = (
        b"GET /ws/market-stream HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    problem_of(guarded.raw(asked + b"\r\n"), 401, "unauthorized")
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=30) as found:
        found.sendall(asked + b"sec-websocket-protocol: spx, " + guarded.keys["viewer"].encode() + b"\r\n\r\n")
        head = found.recv(65536).partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"sec-websocket-protocol: spx\r\n" in head + b"\r\n"


def test_headers_have_a_size_and_a_number(guarded: Guarded) -> None:
    start = b"GET /health/live HTTP/1.1\r\nhost: x\r\n"
    fits = guarded.raw(start + b"a: b\r\n" * 18 + b"connection: close\r\n\r\n")
    assert fits.startswith(b"HTTP/1.1 200 ")
    problem_of(guarded.raw(start + b"a: b\r\n" * 20 + b"\r\n"), 431, "headers_too_large")
    problem_of(guarded.raw(start + b"a: " + b"b" * 3_000 + b"\r\n\r\n"), 431, "headers_too_large")
    problem_of(guarded.raw(b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"), 431, "headers_too_large")
    endless = guarded.raw(start, *[b"a" * 500 for _ in range(6)], pause_s=0.01)
    assert "20 headers and 2048 bytes" in problem_of(endless, 431, "headers_too_large")["detail"]
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=30) as found:
        # Longer than what the parser of URLs takes; what it has not read when it closes may reset the connection afterwards.
        found.sendall(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
        problem_of(found.recv(65536), 431, "headers_too_large")


def test_the_body_of_a_request_that_began_beside_another_is_no_head(guarded: Guarded) -> None:
    live = b"GET /health/live HTTP/1.1\r\nhost: x\r\n"
    long = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 5010\r\n\r\n" + b" " * 10
    said = guarded.raw(live + b"\r\n" + long, b" " * 2_500, b" " * 2_500 + live + b"connection: close\r\n\r\n", pause_s=0.05)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", said) == [b"200", b"401", b"200"]


def test_a_request_arrives_within_its_time_or_not_at_all(guarded: Guarded) -> None:
    begun = time.monotonic()
    problem_of(guarded.raw(b"GET / HTTP/1.1\r\nhost: ", b"x", b"y", pause_s=0.03), 408, "request_timeout")
    key = guarded.keys["viewer"].encode()
    body = b"POST /predict HTTP/1.1\r\nhost: x\r\nx-api-key: " + key + b"\r\ncontent-length: 40\r\n\r\n{"
    problem_of(guarded.raw(body, b'"', pause_s=0.03), 408, "request_timeout")
    assert guarded.raw() == b""
    assert 1.2 <= time.monotonic() - begun < 12.0
    request = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    # Empty lines between two requests do not keep a connection open.
    answered = guarded.raw(request, b"\r\n", b"\r\n", pause_s=0.03)
    assert answered.count(b"HTTP/1.1 200 OK") == 1
    assert guarded.raw(request, request, pause_s=0.03).count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("bytes_", [b"\x16\x03\x01\x02", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"\x00" * 64])
def test_what_is_no_http_is_told_so(guarded: Guarded, bytes_: bytes) -> None:
    assert problem_of(guarded.raw(bytes_), 400, "bad_request")["detail"] == "the bytes are no HTTP/1.1 request"


def test_connections_have_a_number(guarded: Guarded) -> None:
    held = [socket.create_connection(("127.0.0.1", guarded.port)) for _ in range(40)]
    try:
        late = socket.create_connection(("127.0.0.1", guarded.port), timeout=30)
        with late:
            assert "30 open connections" in problem_of(late.recv(65536), 503, "too_many_connections")["detail"]
    finally:
        for each in held:
            each.close()
    assert guarded.service.until("/health/live", lambda answer: answer.status_code == 200).status_code == 200


def test_a_proxy_that_is_trusted_says_who_called_and_each_has_his_own_rate(guarded: Guarded) -> None:
    def call(address: str) -> httpx.Response:
        return guarded.service.client.get("/health/live", headers={"x-forwarded-for": address})

    answers = [call("203.0.113.9") for _ in range(110)]
    assert [answer.status_code for answer in answers[:100]] == [200] * 100
    refused = next(answer for answer in answers[100:] if answer.status_code == 429)
    assert_problem(refused, 429, "rate_limited")
    assert refused.headers["ratelimit-policy"] == '"address";q=100;w=2000'
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert call("203.0.113.10").headers["ratelimit"] == '"address";r=99;t=20'
    assert_problem(guarded.service.client.post("/retrain", headers={"x-forwarded-for": "203.0.113.11"}), 401, "unauthorized")
    line = json.loads((guarded.home / "logs" / "audit.ndjson").read_text().splitlines()[-1])
    assert (line["address"], line["call"], line["status"], line["who"]) == ("203.0.113.11", "POST /retrain", 401, None)


def samples(answer: httpx.Response) -> dict[tuple[str, ...], float]:
    """Values by name and labels, these in the order of their names."""
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value for sample in found}


def test_what_was_counted_is_told_to_prometheus(guarded: Guarded) -> None:
    before = samples(guarded.get("/metrics"))
    for path in ("/models", "/models/none", "/models/other", "/nowhere", "/else"):
        guarded.get(path)
    guarded.service.client.put("/predict", headers={"x-api-key": guarded.keys["viewer"]})
    guarded.raw(b"GET\r\n\r\n")
    after = samples(guarded.get("/metrics"))

    def grown(*sample: str) -> float:
        return after[sample] - before.get(sample, 0.0)

    assert grown("spx_http_requests_total", "GET", "/models", "200") == 1
    assert grown("spx_http_requests_total", "GET", "/models/{name}", "404") == 2
    assert grown("spx_http_requests_total", "GET", "unmatched", "404") == 2
    assert grown("spx_http_requests_total", "PUT", "/predict", "405") == 1
    assert grown("spx_http_requests_total", "GET", "/metrics", "200") == 1
    assert grown("spx_connections_refused_total", "bad_request") == 1
    assert grown("spx_http_request_duration_seconds_count", "/models/{name}") == 2
    assert grown("spx_http_request_duration_seconds_bucket", "+Inf", "/models/{name}") == 2
    assert 0 < grown("spx_http_request_duration_seconds_sum", "/models/{name}") < 2
    assert (after["spx_lake_readable",], after["spx_websockets_open",]) == (0, 0)
    assert after["process_resident_memory_bytes",] > 50e6
    assert after["process_open_fds",] > 5
    assert after["process_cpu_seconds_total",] >= before["process_cpu_seconds_total",]
    assert [name for name in after if name[0] == "spx_build_info"]
    assert len({name[2] for name in after if name[0] == "spx_http_requests_total"}) < 30


def test_no_secret_is_told_to_anybody(guarded: Guarded) -> None:
    keys, client = guarded.keys, guarded.service.client
    said = ""
    for path in (
        "/",
        "/health",
        "/health/ready",
        "/metrics",
        "/debug/model-info",
        "/models",
        "/docs/openapi.json",
        "/features/x",
    ):
        said += guarded.get(path).text
        said += client.get(path, headers={"authorization": f"Bearer {keys['viewer']}x"}).text
    for key in keys.values():
        for body in (b"{", b'{"message": "x"}', b"[" * 60_000):
            for path in ("/retrain", "/monitoring/drift/alert", "/predict", "/models/x/load"):
                said += client.post(path, content=body, headers={"authorization": f"Bearer {key}"}).text
        said += client.get(f"/models/{key}", headers={"x-api-key": keys["viewer"]}).request.method
    said += (guarded.home / "logs" / "audit.ndjson").read_text() + guarded.log.read_text()
    assert len(said) > 10_000
    secrets = [*PLANTED.values(), *keys.values(), *(key[13:] for key in keys.values())]
    assert [secret for secret in secrets if secret in said] == []
