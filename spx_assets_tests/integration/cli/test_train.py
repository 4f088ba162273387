"""`spx train`: families by name, tuning and folds reach the assets as run config, trials are shown."""

import logging
from datetime import UTC, date, datetime
from typing import Any

import pytest

from spx_assets.automation.backfill import Backfill
from spx_assets.cli import train
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets.training.errors import UnknownModelError
from spx_assets.training.tuning.results import TrialResult

ALL = ("lightgbm", "xgboost", "random_forest", "linear", "lstm", "ensemble")


def test_all_are_the_known_families_less_those_whose_library_is_absent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "find_spec", lambda library: object())
    assert train.chosen("all") == ALL
    monkeypatch.setattr(train, "find_spec", lambda library: None)
    assert train.chosen("all") == tuple(family for family in ALL if family != "lstm")
    left_out = "lstm is left out: torch is not installed (pip install -c constraints.txt -e '.[torch]')"
    assert capsys.readouterr().err.splitlines() == [left_out]


def test_families_are_named_once_and_unknown_ones_refused() -> None:
    assert train.chosen(" linear, xgboost,linear") == ("linear", "xgboost")
    with pytest.raises(UnknownModelError, match="--families 'linear,prophet': name some of lightgbm, xgboost"):
        train.chosen("linear,prophet")
    with pytest.raises(UnknownModelError):
        train.chosen(",")


def test_the_asked_families_train_by_run_config_and_are_judged_beside_the_home_s_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPX_MODELS__FAMILIES", '["lightgbm"]')
    feeds.bind_simulator(Lake.open(settings), "SPX500_USD")
    seen: dict[str, Any] = {}

    def record(plan: Backfill, names: list[str], **how: Any) -> dict[str, int]:
        at = datetime(2025, 10, 15, tzinfo=UTC)
        result = TrialResult("m/linear", "broad", 0, 1, 2, "complete", {"winsor": 0.01}, 0.69, (), at, at)
        logging.getLogger("spx_assets.training.tuning.trials").info("%s", result.words, extra={"trial": result})
        seen.update(how, names=names, known=plan.settings.models.families, keys=plan.keys(names))
        return {}

    monkeypatch.setattr(Backfill, "run", record)
    train.train(names=["spx500_h30"], families="linear", tune=True, folds=3, seeds=5, week=datetime(2025, 10, 14))  # noqa: DTZ001
    assert seen["names"] == ["models/spx500_h30/linear", "models/spx500_h30/champion"]
    assert len(seen["keys"]) == 2
    assert seen["config"] == {"models/spx500_h30/linear": {"tune": True, "folds": 3, "seeds": 5}}
    assert seen["known"] == ("lightgbm", "linear")
    assert (seen["first"], seen["last"], seen["force"]) == (date(2025, 10, 12), date(2025, 10, 12), True)
    assert "m/linear broad trial 1 of 2: loss 0.690000 at winsor 0.01\n" in capsys.readouterr().err
    assert logging.getLogger("spx_assets.training.tuning").handlers == []
