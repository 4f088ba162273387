"""A local HTTP server that answers as Dagster's webserver does, or as one that fails.

Belongs here: what tests of POST /retrain share. The real webserver is asked in the daemon's own test.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPOSITORY = {"name": "__repository__", "location": {"name": "spx_assets"}, "pipelines": [{"name": "daily"}, {"name": "retrain"}]}
FOUND: dict[str, Any] = {
    "repositoriesOrError": {"__typename": "RepositoryConnection", "nodes": [REPOSITORY]},
    "runsOrError": {"__typename": "Runs", "results": []},
}
STARTED: dict[str, Any] = {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "run-1", "status": "QUEUED"}}}


class FakeDagster:
    """What it is to answer, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.found, self.started = FOUND, STARTED
        self.status, self.raw = 200, b""
        self.delay_s = 0.0
        self.asked: list[dict[str, Any]] = []

    def answer(self, asked: dict[str, Any]) -> bytes:
        self.asked.append(asked)
        time.sleep(self.delay_s)
        return self.raw or json.dumps({"data": self.started if "launchRun" in asked["query"] else self.found}).encode()


@contextmanager
def running() -> Iterator[FakeDagster]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = fake.answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(fake.status if self.path == "/graphql" else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake = FakeDagster(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
