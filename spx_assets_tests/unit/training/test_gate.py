"""The gate's truth table."""

import pytest

from spx_assets.scoring.current import Current
from spx_assets.settings import GateSettings
from spx_assets.training import gate
from spx_assets.training.gate import Comparison, Served

GATE = GateSettings()
GOOD = {
    "effective_obs": 500.0,
    "coverage": 1.0,
    "log_loss": 0.690,
    "log_loss_base": 0.693,
    "p_direction": 0.01,
    "r2_zero": 0.01,
    "p_return": 0.01,
    "auc": 0.55,
    "auc_fit": 0.60,
    "missing_share": 0.01,
    "training_seconds": 60.0,
    "latency_ms": 0.1,
}
BETTER = Comparison("old", 900, 0.01, identical=False)


@pytest.mark.parametrize(
    ("changed", "comparison", "verdict"),
    [
        ({}, None, "promoted"),
        ({}, BETTER, "promoted"),
        ({}, Comparison("old", 900, 0.20, identical=False), "kept_champion"),
        ({}, Comparison("old", 900, 0.05, identical=False), "kept_champion"),
        ({}, Comparison("old", 0, float("nan"), identical=False), "kept_champion"),
        ({}, Comparison("old", 900, 0.01, identical=True), "kept_champion"),
        ({"effective_obs": 199.9}, None, "no_edge"),
        ({"effective_obs": 199.9}, BETTER, "no_edge"),
        ({"effective_obs": 200.0}, None, "promoted"),
        ({"effective_obs": None}, None, "no_edge"),
        ({"p_direction": 0.05}, None, "no_edge"),
        ({"p_direction": None}, None, "no_edge"),
        ({"p_direction": float("nan")}, BETTER, "no_edge"),
        ({"log_loss": 0.6931}, None, "no_edge"),
        ({"p_return": 0.9, "r2_zero": -0.5}, None, "promoted"),
        ({"coverage": 0.949}, None, "no_edge"),
        ({"coverage": 0.95}, None, "promoted"),
        ({"auc_fit": 0.80}, None, "no_edge"),
        ({"auc_fit": 0.79}, None, "promoted"),
        ({"auc_fit": None}, None, "no_edge"),
        ({"missing_share": 0.11}, BETTER, "no_edge"),
        ({"training_seconds": 3_601.0}, None, "no_edge"),
        ({"latency_ms": 100.1}, None, "no_edge"),
        ({"latency_ms": None}, None, "no_edge"),
    ],
)
def test_verdict_of(changed, comparison, verdict):
    assert gate.judge({**GOOD, **changed}, GATE, comparison).verdict == verdict


@pytest.mark.parametrize("r2", [-0.072, -0.036, -0.094, -0.080])
def test_a_return_head_worse_than_zero_is_refused_whatever_its_test_says(r2):
    """The out-of-time R2 of a published system at 30 and 60 minutes."""
    judged = gate.judge({**GOOD, "r2_zero": r2, "p_return": 0.001}, GATE)
    assert (judged.return_ok, judged.direction_ok) == (False, True)


@pytest.mark.parametrize(("r2_train", "r2_test"), [(-0.072, -0.036), (-0.094, -0.080)])
def test_the_numbers_of_a_published_system_without_an_edge_are_refused(r2_train, r2_test):
    published = {"effective_obs": 5_000.0, "coverage": 1.0, "r2_zero": r2_test, "r2_fit": r2_train}
    judged = gate.judge(published, GATE)
    assert (judged.verdict, judged.direction_ok, judged.return_ok) == ("no_edge", False, False)


def test_each_head_is_judged_on_its_own():
    judged = gate.judge({**GOOD, "p_direction": 0.5}, GATE)
    assert (judged.verdict, judged.direction_ok, judged.return_ok) == ("no_edge", False, True)


def test_the_reason_names_the_numbers():
    assert gate.judge(GOOD, GATE).reason == (
        "direction beats the base rate: log loss 0.69000 beside 0.69300, p 0.01; no champion yet"
    )
    assert gate.judge({**GOOD, "effective_obs": 120.0}, GATE).reason == "120 effective observations, 200 are asked for"


def test_a_limit_besides_skill_is_named_with_its_value():
    assert gate.judge({**GOOD, "latency_ms": 250.0}, GATE).reason == "milliseconds a forecast: 250, at most 100 are allowed"
    learned_by_heart = gate.judge({**GOOD, "auc_fit": 0.95}, GATE)
    assert learned_by_heart.reason == "AUC on the fit segment is 0.400 above that out of time, less than 0.25 is asked for"


def test_candidates_are_ranked_by_their_gain_and_those_without_one_come_last():
    nan = float("nan")
    told = [("a", None, 0.7, 1.0), ("b", 0.69, 0.68, 1.0), ("c", 0.70, 0.71, 1.0), ("d", nan, 0.7, 1.0), ("e", 0.6, None, 1.0)]
    assert gate.ranked(told, GATE) == ["c", "b", "a", "d", "e"]


def test_a_candidate_that_forecasts_too_few_rows_does_not_keep_another_from_the_test():
    told = [("a", 0.60, 0.70, 0.949), ("b", 0.60, 0.70, None), ("c", 0.72, 0.70, 0.95), ("d", None, None, 1.0)]
    assert gate.ranked(told, GATE) == ["c", "d", "a", "b"]
    assert gate.not_entered({"coverage": 0.87}, GATE, rank=2) == (
        "ranked 2: forecasts 87.0% of the rows, 95% are asked for; only the first enters"
    )
    assert gate.not_entered(GOOD, GATE, rank=3) == "ranked 3 on the calibration segment; only the first enters"


@pytest.mark.parametrize(
    ("before", "verdict", "after"),
    [
        (Current(), "promoted", Served("new", None, None)),
        (Current(flagged="f"), "promoted", Served("new", None, None)),
        (Current(champion="c", challenger="new"), "manual", Served("new", None, None)),
        (Current(champion="c", challenger="x"), "promoted", Served("new", "x", None)),
        (Current(champion="c"), "kept_champion", Served("c", "new", None)),
        (Current(champion="new"), "kept_champion", Served("new", None, None)),
        (Current(champion="c"), "no_edge", Served("c", None, None)),
        (Current(), "no_edge", Served(None, None, "new")),
        (Current(flagged="f"), "no_edge", Served(None, None, "new")),
    ],
)
def test_served_after(before, verdict, after):
    assert gate.served_after(before, verdict, "new") == after


def test_the_champion_answers_before_the_flagged_version():
    assert Served("c", "x", "f").version == "c"
    assert Served(None, None, "f").version == "f"
