"""A version that looks at more bars than any that answers: where the bars before come from."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from serving.contracts import PredictRequest
from serving.problems import FutureTimestamp, WarmingUp
from serving.vectors import Vector
from spx_assets_tests.unit.serving.homes import BAR, home, model, service, vector

LONG = "20251014T160000Z-0001"
KNOWN_AFTER_S = 0.3
"""How long after its minute a streamed bar is known."""


def test_the_bars_before_a_streamed_one_are_asked_for_when_it_was_known(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, version=LONG, input_rows=3)
    model(settings)
    newest = vector(behind_s=KNOWN_AFTER_S)
    answering = service(settings, newest, live=True, now=newest.clock)
    reach = vector(before_min=(2, 1)), vector(ts=BAR - timedelta(minutes=1), before_min=(2, 1))

    def known(instrument: str, at: datetime, *, rows: int, news: bool) -> tuple[Vector, float]:
        assert (instrument, rows, news) == ("SPX500_USD", 3, False)
        return reach[at < BAR + timedelta(minutes=1, seconds=KNOWN_AFTER_S)], 0.0

    answering.past.vector = known  # type: ignore[method-assign]
    asked = PredictRequest(instrument="SPX500_USD", model_version=LONG)
    answer = answering.at_leisure(asked)
    assert (answer.timestamp, answer.model_version) == (BAR, LONG)
    assert answer.expected_return_bp == pytest.approx(3.6, abs=1e-5)

    def ahead(*_: object, **__: object) -> tuple[Vector, float]:
        raise FutureTimestamp("the lake stands before it")

    answering.past.vector = ahead  # type: ignore[method-assign]
    with pytest.raises(WarmingUp, match="looks at 3"):
        answering.at_leisure(asked)
