"""The gate's truth table."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from spx_assets.scoring.current import Current
from spx_assets.settings import GateSettings
from spx_assets.training import evaluation, gate
from spx_assets.training.gate import Comparison, Served
from spx_assets_tests.unit.training.judged_rows import BASELINES, judged

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
PUBLISHED_R2 = (-0.072, -0.036, -0.094, -0.080)
"""What a published system of this kind reached for the return over 30 and 60 minutes."""
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


@pytest.mark.parametrize("r2", PUBLISHED_R2)
def test_a_return_head_worse_than_zero_is_refused_whatever_its_test_says(r2):
    judged = gate.judge({**GOOD, "r2_zero": r2, "p_return": 0.001}, GATE)
    assert (judged.return_ok, judged.direction_ok) == (False, True)


@pytest.mark.parametrize("r2", PUBLISHED_R2)
def test_forecasts_as_good_as_a_published_system_are_refused_by_both_heads(r2):
    """Expected returns that miss 8,000 outcomes by exactly that R2, and the probabilities that follow from them."""
    rows = judged(8_000, horizon=30, edge=0.0)
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(8_000)
    noise -= rows.return_bp * (noise @ rows.return_bp) / (rows.return_bp @ rows.return_bp)
    expected = noise * np.sqrt(-r2 * np.mean(rows.return_bp**2) / np.mean(noise**2))
    told = evaluation.metrics(
        replace(rows, expected_bp=expected, probability_up=norm.cdf(expected)), replace(BASELINES, base_rate=0.5)
    )
    assert told["r2_zero"] == pytest.approx(r2, abs=1e-12)
    found = gate.judge({**GOOD, **told}, GATE)
    assert (found.verdict, found.direction_ok, found.return_ok) == ("no_edge", False, False)
    assert told["log_loss"] > told["log_loss_base"] == pytest.approx(np.log(2.0))
    assert found.reason == (
        f"direction does not beat the base rate: log loss {told['log_loss']:.5f} beside 0.69315, p {told['p_direction']:.3g}"
    )


def test_each_head_is_judged_on_its_own():
    judged = gate.judge({**GOOD, "p_direction": 0.5}, GATE)
    assert (judged.verdict, judged.direction_ok, judged.return_ok) == ("no_edge", False, True)


def test_the_reason_names_the_numbers():
    assert gate.judge(GOOD, GATE).reason == (
        "direction beats the base rate: log loss 0.69000 beside 0.69300, p 0.01; no champion yet"
    )
    assert gate.judge({**GOOD, "effective_obs": 120.0}, GATE).reason == "120 effective observations, 200 are asked for"


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        (("effective_obs",), "effective_obs unknown, 200 are asked for"),
        (("log_loss", "p_direction"), "log_loss and p_direction unknown"),
        (("coverage",), "coverage unknown, 95% are asked for"),
        (("auc_fit",), "auc_fit unknown, less than 0.25 is asked for"),
        (("auc",), "auc unknown, less than 0.25 is asked for"),
        (("latency_ms",), "latency_ms unknown"),
    ],
)
@pytest.mark.parametrize("value", [None, float("nan")])
def test_an_unknown_number_is_refused_and_called_unknown(gone, reason, value):
    found = gate.judge({**GOOD, **dict.fromkeys(gone, value)}, GATE)
    assert (found.verdict, found.reason) == ("no_edge", reason)


def test_a_champion_that_is_no_rival_is_not_called_missing():
    found = gate.judge(GOOD, GATE, unrivalled="champion old is no rival: it is later")
    assert found.verdict == "promoted"
    assert found.reason.endswith("p 0.01; champion old is no rival: it is later")


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
