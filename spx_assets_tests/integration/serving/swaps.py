"""Hot swaps under load: models whose answers tell them apart, and what each answer must then say.

Belongs here: what the short and the long proof share. Does not: how many swaps.
"""

import math
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from serving.contracts import Prediction
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.load import process
from spx_assets_tests.load.clients import Plan

LONGEST_S = 600.0
SLOPE = 0.1
"""Of the toy models: probability_up = sigmoid(SLOPE * return_bp)."""


@dataclass
class Swapped:
    """A service and what each of the models it has been given adds to the return."""

    home: Path
    running: homes.Running
    bias: dict[str, float] = field(default_factory=dict)
    """By digest."""

    @property
    def port(self) -> int:
        return int(self.running.client.base_url.port or 0)

    def swap(self) -> str:
        """A new model in place of the last; its digest."""
        number = len(self.bias)
        made = homes.model(homes.settings_of(self.home), version=f"20251016T16{number:04d}Z-0001", bias=float(number))
        self.bias[made.manifest.digest] = float(number)
        return made.manifest.digest


@contextmanager
def service(market: Path, home: Path, *, whole: bool = False) -> Iterator[Swapped]:
    """The service of a copy of `market`, looking for new models twenty times a second."""
    shutil.copytree(market, home, ignore=shutil.ignore_patterns("artifacts"))
    first = homes.model(homes.settings_of(home))
    with homes.running(home, whole=whole, SPX_SERVING__POLL_S="0.05") as running:
        yield Swapped(home, running, {first.manifest.digest: 0.0})


def assert_whole(served: Swapped, swaps: int, *, answers: Path, connections: int) -> None:
    """No request fails while `swaps` models follow one another, and each answer is the work of one of them."""
    base = served.running.until("/predict", lambda answer: answer.status_code == 200).json()
    unbiased = base["expected_return_bp"] - served.bias[base["model_digest"]]
    plan = Plan(port=served.port, connections=connections, seconds=LONGEST_S, pause_s=0.005, answers=str(answers))
    with process.clients(plan) as under_way:
        given = []
        for _ in range(swaps):
            time.sleep(0.03)
            digest = served.swap()
            given.append(digest)
            served.running.until("/predict", lambda answer, digest=digest: answer.json()["model_digest"] == digest)
            _wait_for_clients(served, connections)
        time.sleep(0.3)
        found = under_way.stop()
    assert found.failed == 0
    said = [msgspec.json.decode(line, type=Prediction) for line in answers.read_bytes().splitlines()]
    assert len(said) == found.answered > 100
    assert len({one.id for one in said}) == len(said)
    assert set(given) <= {one.model_digest for one in said}
    for one in said:
        expected = unbiased + served.bias[one.model_digest]
        assert one.expected_return_bp == pytest.approx(expected, abs=1e-4)
        assert one.probability == pytest.approx(1 / (1 + math.exp(-SLOPE * expected)), abs=1e-6)
        assert one.interval_bp.low < one.expected_return_bp < one.interval_bp.high


def _wait_for_clients(served: Swapped, answers: int) -> None:
    """Until the load has had so many answers of the model that is served: on a busy machine it may not run for a whole swap."""
    enough = _answered(served) + answers
    deadline = time.monotonic() + 30
    while _answered(served) < enough and time.monotonic() < deadline:
        time.sleep(0.02)


def _answered(served: Swapped) -> int:
    answered = r'^spx_http_requests_total\{method="POST",route="/predict",status="200"\} (\d+)'
    found = re.search(answered, served.running.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])
