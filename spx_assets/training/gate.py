"""The gate: which candidate enters, what its numbers say, and who is served after it.

Belongs here: pure rules from numbers to a verdict. Does not: computing the numbers (`evaluation`, `promotion`), reading or
writing anything.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spx_assets.scoring.current import Current
from spx_assets.scoring.manifest import Verdict
from spx_assets.settings import GateSettings

Metrics = Mapping[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """Candidate against champion on out-of-time rows later than both calibrations.

    `p_value`: one-sided Diebold-Mariano on direction log loss, small where the candidate is better; NaN without rows.
    """

    champion: str
    rows: int
    p_value: float
    identical: bool


@dataclass(frozen=True)
class Judgement:
    """A verdict with the words for it. Each head is judged on its own."""

    verdict: Verdict
    reason: str
    direction_ok: bool
    return_ok: bool


@dataclass(frozen=True)
class Served:
    """Who `current.json` names after a verdict."""

    champion: str | None
    challenger: str | None
    flagged: str | None

    @property
    def version(self) -> str | None:
        """Who answers: the champion, else the flagged version."""
        return self.champion or self.flagged


RANKED_BY = ("version", "log_loss_calibration", "log_loss_calibration_base", "coverage")
"""What candidates are ranked by: columns of `models.versions`."""
DIRECTION = ("log_loss", "log_loss_base", "p_direction")
"""What the direction head is judged by."""


def ranked(candidates: Sequence[tuple[str, float | None, float | None, float | None]], gate: GateSettings) -> list[str]:
    """Candidates (`RANKED_BY`) from best to worst by log loss less that of the base rate; without it last, ties by order.

    Rows differ from family to family (a sequence forecasts 87 % of those of the calibration segment), and so does how hard
    they are; the base rate on the same rows takes that out. Who covers too few rows to be promoted comes after all others: it
    would keep one from the test that could pass it.
    """

    def place(candidate: tuple[str, float | None, float | None, float | None]) -> tuple[bool, float]:
        _, loss, base, coverage = candidate
        metrics = {"loss": loss, "base": base, "coverage": coverage}
        excess = _number(metrics, "loss") - _number(metrics, "base")
        return not covers(metrics, gate), math.inf if math.isnan(excess) else excess

    return [candidate[0] for candidate in sorted(candidates, key=place)]


def covers(metrics: Metrics, gate: GateSettings) -> bool:
    """It forecasts enough of the rows to be promoted."""
    return _number(metrics, "coverage") >= gate.min_coverage


def not_entered(metrics: Metrics, gate: GateSettings, *, rank: int) -> str:
    """Why the candidate of that rank, not the first, was not tested."""
    if not covers(metrics, gate):
        return f"ranked {rank}: {_unfit(metrics, gate)}; only the first enters"
    return f"ranked {rank} on the calibration segment; only the first enters"


def direction_ok(metrics: Metrics, gate: GateSettings) -> bool:
    """The direction head is significantly informed and its log loss is below the base rate's."""
    return _below(metrics, "p_direction", gate.alpha) and _gains(metrics, "log_loss_base", "log_loss")


def return_ok(metrics: Metrics, gate: GateSettings) -> bool:
    """The return head is significantly informed and its squared error is below that of a forecast of zero."""
    return _below(metrics, "p_return", gate.alpha) and _gains(metrics, "r2_zero")


def judge(
    metrics: Metrics, gate: GateSettings, comparison: Comparison | None = None, *, unrivalled: str = "no champion yet"
) -> Judgement:
    """The verdict on the first-ranked candidate; `comparison` with the champion, or why there is none.

    A number that is unknown never passes, and the reason says which.
    """
    heads = direction_ok(metrics, gate), return_ok(metrics, gate)
    if refusal := _without_edge(metrics, gate) or _unfit(metrics, gate):
        return Judgement("no_edge", refusal, *heads)
    if comparison is None:
        return Judgement("promoted", f"direction beats the base rate: {_direction(metrics)}; {unrivalled}", *heads)
    rival = f"champion {comparison.champion}"
    if comparison.identical:
        return Judgement("kept_champion", f"its forecasts are those of {rival}", *heads)
    if not comparison.rows:
        return Judgement("kept_champion", f"no out-of-time row is later than its calibration and that of {rival}", *heads)
    numbers = f"Diebold-Mariano p {comparison.p_value:.3g} on {comparison.rows} rows"
    if not comparison.p_value < gate.alpha:
        return Judgement("kept_champion", f"not better than {rival}: {numbers}", *heads)
    return Judgement("promoted", f"better than {rival}: {numbers}", *heads)


def _without_edge(metrics: Metrics, gate: GateSettings) -> str | None:
    """Why the evidence does not show that the direction head knows something; None if it does."""
    effective = _number(metrics, "effective_obs")
    if not effective >= gate.min_effective_obs:
        counted = _unknown(metrics, "effective_obs") or f"{effective:.0f} effective observations"
        return f"{counted}, {gate.min_effective_obs:.0f} are asked for"
    if not direction_ok(metrics, gate):
        return _unknown(metrics, *DIRECTION) or f"direction does not beat the base rate: {_direction(metrics)}"
    return None


def _unfit(metrics: Metrics, gate: GateSettings) -> str | None:
    """The first limit besides skill that the version does not keep."""
    if not covers(metrics, gate):
        share = _unknown(metrics, "coverage") or f"forecasts {_number(metrics, 'coverage'):.1%} of the rows"
        return f"{share}, {gate.min_coverage:.0%} are asked for"
    gap = _number(metrics, "auc_fit") - _number(metrics, "auc")
    if not gap < gate.max_auc_gap:
        above = f"AUC on the fit segment is {gap:.3f} above that out of time"
        return f"{_unknown(metrics, 'auc_fit', 'auc') or above}, less than {gate.max_auc_gap:g} is asked for"
    limits = (
        ("missing_share", gate.max_missing_share, "share of missing inputs"),
        ("training_seconds", gate.max_training_s, "seconds of training"),
        ("latency_ms", gate.max_latency_ms, "milliseconds a forecast"),
    )
    for name, limit, words in limits:
        if not (value := _number(metrics, name)) <= limit:
            return _unknown(metrics, name) or f"{words}: {value:.3g}, at most {limit:g} are allowed"
    return None


def _unknown(metrics: Metrics, *names: str) -> str | None:
    """Words for those of the metrics that the evidence does not tell; None if it tells all."""
    gone = [name for name in names if math.isnan(_number(metrics, name))]
    return f"{' and '.join(gone)} unknown" if gone else None


def served_after(before: Current | Served, verdict: Verdict, version: str) -> Served:
    """Who is served once `verdict` on `version` holds. Only `promoted` and `manual` move the champion."""
    champion, challenger, flagged = before.champion, before.challenger, before.flagged
    if verdict in ("promoted", "manual"):
        champion, challenger, flagged = version, None if challenger == version else challenger, None
    elif verdict == "kept_champion" and version != champion:
        challenger = version
    elif verdict == "no_edge" and champion is None:
        flagged = version
    return Served(champion, challenger, flagged)


def _direction(metrics: Metrics) -> str:
    numbers = (_number(metrics, name) for name in DIRECTION)
    return "log loss {:.5f} beside {:.5f}, p {:.3g}".format(*numbers)


def _number(metrics: Metrics, name: str) -> float:
    value = metrics.get(name)
    return math.nan if value is None else float(value)


def _below(metrics: Metrics, name: str, limit: float) -> bool:
    return _number(metrics, name) < limit


def _gains(metrics: Metrics, name: str, less: str | None = None) -> bool:
    """Metric `name`, less metric `less`, is above zero."""
    return _number(metrics, name) - (_number(metrics, less) if less else 0.0) > 0.0
