"""Many rows at once: a budget over all calls, and threads that change no forecast."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from serving import matrix
from serving.bulk import Bulk
from serving.matrix import Scored
from serving.problems import BadFeatures, Busy
from serving.served import ServedModel
from spx_assets.scoring.sequences import F32
from spx_assets_tests.unit.serving.homes import home, model, service

ROWS = 3 * matrix.PART + 5


def scored(bulk: Bulk, chosen: ServedModel, X: F32) -> Scored:
    return asyncio.run(bulk.score(lambda: (chosen, X)))


def test_rows_shared_out_to_threads_are_scored_as_by_one(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    chosen = service(settings).model("SPX500_USD", horizon=None, name=None, version=None)
    X = np.random.default_rng(1).standard_normal((ROWS, 1, 3)).astype(np.float32)
    bulk = Bulk()
    assert scored(bulk, chosen, X).bytes() == matrix.score(chosen, X).bytes()
    X[2 * matrix.PART + 1, 0, 2], X[matrix.PART + 7, 0, 2] = np.inf, np.inf
    with pytest.raises(BadFeatures, match=f"row {matrix.PART + 7} "):
        scored(bulk, chosen, X)
    bulk.stop()


def test_calls_beyond_the_budget_are_told_to_come_again_until_one_has_ended() -> None:
    bulk = Bulk(budget=100)
    with bulk.hold(60):
        with pytest.raises(Busy, match="60 bytes") as refused, bulk.hold(41):
            pytest.fail("taken")
        assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (503, "busy", 1)
        with bulk.hold(40):
            assert bulk.held == 100
    assert bulk.held == 0
    bulk.stop()
