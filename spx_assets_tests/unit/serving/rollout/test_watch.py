"""Green is taken back when it answers worse than blue, and only then. Both are real HTTP servers that tell metrics."""

from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from serving.rollout.compare import Counts
from serving.rollout.split import Split, Splits
from serving.rollout.watch import Watch
from spx_assets.settings import Settings
from spx_assets.settings.deploy import DeploySettings

BOUNDS = (0.001, 0.01, 0.1)


class Colour:
    """A service's metrics: counts by status and answers up to each bound of latency."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.fast, self.slow = 0, 0
        self.status = 200
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/metrics"
                body = told.text().encode()
                self.send_response(told.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, number: int, *, status: int = 200, slow: bool = False) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + number
        self.slow += number if slow else 0
        self.fast += 0 if slow else number

    def text(self) -> str:
        lines = ["# TYPE spx_http_requests_total counter"]
        for status, number in self.statuses.items():
            lines.append(f'spx_http_requests_total{{route="/predict",method="POST",status="{status}"}} {number}')
        # Another route's failures are none of a forecast.
        lines.append('spx_http_requests_total{route="/news/recent",method="GET",status="500"} 999')
        lines.append("# TYPE spx_http_request_duration_seconds histogram")
        for bound, number in (
            ("0.001", self.fast),
            ("0.01", self.fast),
            ("0.1", self.fast + self.slow),
            ("+Inf", self.fast + self.slow),
        ):
            lines.append(f'spx_http_request_duration_seconds_bucket{{route="/predict",le="{bound}"}} {number}')
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Scene:
    """Both colours, a watch on them with a clock of its own, and what it announced."""

    def __init__(self, settings: Settings, blue: Colour, green: Colour) -> None:
        self.blue, self.green = blue, green
        self.now = 0.0
        self.told: list[tuple[int, int]] = []
        deploy = DeploySettings(blue_url=blue.url, green_url=green.url, min_requests=50, window_s=60, timeout_s=1)
        self.settings = settings.model_copy(update={"deploy": deploy})
        self.splits = Splits(self.settings)
        self.watch = Watch(self.settings, announce=self._announce, clock=lambda: self.now)

    def _announce(self, before: Split, after: Split) -> None:
        self.told.append((before.green, after.green))

    def look(self, *, seconds: float = 5.0) -> Split | None:
        self.now += seconds
        return self.watch.look()


@pytest.fixture
def scene(settings: Settings) -> Iterator[Scene]:
    with ExitStack() as stack:
        blue, green = Colour(), Colour()
        stack.callback(blue.close)
        stack.callback(green.close)
        made = Scene(settings, blue, green)
        stack.callback(made.watch.close)
        made.splits.change(10, by="ops", reason="canary")
        made.look()
        yield made


def test_a_green_that_fails_more_is_taken_back_once(scene: Scene) -> None:
    scene.blue.answer(900)
    scene.green.answer(95)
    scene.green.answer(5, status=500)
    after = scene.look()
    assert after is not None
    assert (after.green, after.by) == (0, "watch")
    assert after.reason == "5.0% of green's 100 answers failed, 0.0% of blue's 900"
    assert scene.told == [(10, 0)]
    assert scene.look() is None
    assert scene.told == [(10, 0)]


def test_a_slower_green_is_taken_back(scene: Scene) -> None:
    scene.blue.answer(900)
    scene.green.answer(80)
    scene.green.answer(20, slow=True)
    after = scene.look()
    assert after is not None
    # 95 of 100: 15 of the 20 slow ones, three quarters of the way from 10 to 100 ms; blue's lie within the first millisecond.
    assert after.reason == "green's p95 latency is 77.5 ms, blue's 0.9 ms"


def test_green_stays_while_it_is_as_good(scene: Scene) -> None:
    for _ in range(4):
        scene.blue.answer(500)
        scene.blue.answer(5, status=500)
        scene.green.answer(100)
        scene.green.answer(1, status=500)
        assert scene.look() is None
    assert scene.told == []


def test_a_closed_market_fails_both_and_blames_neither(scene: Scene) -> None:
    scene.blue.answer(900, status=503)
    scene.green.answer(100, status=503)
    assert scene.look() is None


def test_few_answers_are_not_judged(scene: Scene) -> None:
    scene.blue.answer(900)
    scene.green.answer(49, status=500)
    assert scene.look() is None
    scene.green.answer(1, status=500)
    assert scene.look() is not None


def test_what_is_older_than_the_window_is_forgotten(scene: Scene) -> None:
    scene.blue.answer(900)
    scene.green.answer(40, status=500)
    assert scene.look() is None
    scene.green.answer(60)
    scene.blue.answer(900)
    assert scene.look(seconds=61) is None


def test_after_the_cutover_green_is_judged_by_its_own_errors(scene: Scene) -> None:
    scene.splits.change(100, by="ops", reason="cutover")
    scene.look()
    scene.green.answer(300, status=503)
    assert scene.look() is None
    scene.green.answer(60, status=500)
    after = scene.look()
    assert after is not None
    assert after.reason == "16.7% of green's 360 answers failed, 0.0% of blue's 0"


def test_a_new_split_is_judged_by_what_came_after_it(scene: Scene) -> None:
    scene.blue.answer(900)
    scene.green.answer(49, status=500)
    assert scene.look() is None
    scene.splits.change(25, by="ops", reason="more")
    assert scene.look() is None
    scene.green.answer(1, status=500)
    assert scene.look() is None


def test_a_restarted_green_is_counted_from_its_start(scene: Scene) -> None:
    scene.blue.answer(900)
    scene.green.answer(1000)
    assert scene.look() is None
    scene.green.statuses, scene.green.fast = {}, 0
    scene.green.answer(60, status=500)
    scene.blue.answer(900)
    after = scene.look()
    assert after is not None
    assert after.reason == "5.7% of green's 1060 answers failed, 0.0% of blue's 1800"


def test_a_green_that_is_gone_is_taken_back_at_the_third_look(scene: Scene) -> None:
    scene.green.close()
    assert scene.look() is None
    assert scene.look() is None
    after = scene.look()
    assert after is not None
    assert after.reason == "green did not answer 3 times in a row while blue did"


def test_when_neither_answers_nobody_is_blamed(scene: Scene) -> None:
    scene.green.status = scene.blue.status = 401
    assert [scene.look() for _ in range(5)] == [None] * 5


def test_p95_is_linear_within_its_bucket() -> None:
    within = {0.001: 50.0, 0.01: 100.0, float("inf"): 100.0}
    assert Counts(within=within).p95_s() == pytest.approx(0.001 + 0.009 * 45 / 50)
    assert Counts(within={0.001: 10.0, float("inf"): 100.0}).p95_s() == 0.001
    assert Counts().p95_s() == 0.0
