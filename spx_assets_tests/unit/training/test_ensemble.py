"""The ensemble's weights, and who may vote."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from pydantic import ValidationError

from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.manifest import Calibration, Segment
from spx_assets.settings import EnsembleSettings, ModelSettings, Settings
from spx_assets.training import ensemble, splits
from spx_assets.training.dataset import Dataset, instant
from spx_assets.training.errors import MemberError
from spx_assets_tests.unit.scoring import toy

MINUTE = 60_000_000
N = 4_000


def market(seed: int = 0) -> Dataset:
    """The return is the first input and noise; the second input says nothing."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, 2)).astype(np.float32)
    X[::7, 1] = np.nan
    y = X[:, 0] + 2.0 * rng.standard_normal(N)
    ts = 1_760_000_000_000_000 + np.arange(N, dtype=np.int64) * MINUTE
    return Dataset(
        features=("a", "b"),
        instruments=("SPX500_USD",),
        horizon_minutes=30,
        X=X,
        instrument=np.zeros(N, np.int32),
        ts=ts,
        label_end=ts + 2 * MINUTE,
        return_bp=y,
        up=(y > 0).astype(float),
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def split(data: Dataset) -> splits.Segments:
    return splits.by_time(data.ts, data.label_end, embargo_us=MINUTE)


def member(settings: Settings, data: Dataset, family: str, feature: str, **changes: object) -> Artifact:
    """A toy model of one input, trained on the segments of `data`."""
    told = {
        name: Segment(instant(int(data.ts[rows].min())), instant(int(data.label_end[rows].max())), len(rows))
        for name, rows in split(data).items()
    }
    values = {"family": family, "version": f"v-{family}", "segments": told, "required": (feature,)} | changes
    return toy.write(settings.artifacts, toy.manifest((feature,), **values), [1.0], slope=0.5)


def elect(data: Dataset, *members: Artifact, **chosen: object) -> ensemble.Elected:
    return ensemble.elect(data, split(data), EnsembleSettings(**chosen), members, threads=1)  # type: ignore[arg-type]


def test_weights_are_those_of_least_log_loss_where_labels_are_many() -> None:
    rng = np.random.default_rng(1)
    n = 200_000
    z = rng.standard_normal(n)
    p = 1.0 / (1.0 + np.exp(-z))
    up = (rng.random(n) < 0.7 * p + 0.3 * (1.0 - p)).astype(float)
    w = ensemble.fitted(np.column_stack([p, 1.0 - p]), up, np.ones(n), shrinkage=10.0)
    assert w == pytest.approx([0.7, 0.3], abs=0.01)
    assert sum(w) == pytest.approx(1.0, abs=2e-6)


def test_few_labels_leave_weights_near_equal_and_the_pull_is_a_setting() -> None:
    rng = np.random.default_rng(2)
    p = 0.5 + 0.02 * rng.standard_normal((6_000, 3))
    up = (rng.random(6_000) < p[:, 0]).astype(float)
    weight = np.full(6_000, 1.0 / 30.0)  # 200 effective labels
    assert ensemble.fitted(p, up, weight, shrinkage=10.0) == pytest.approx([1 / 3] * 3, abs=0.05)
    loose = ensemble.fitted(p, up, weight, shrinkage=0.001)
    assert max(loose) > 0.6
    assert min(loose) >= 0.0


def test_a_member_alone_right_takes_most_of_the_vote(settings: Settings) -> None:
    data = market()
    members = [member(settings, data, "lightgbm", "b"), member(settings, data, "linear", "a")]
    found = elect(data, *members)
    noise, knowing = (one.weight for one in found.members)
    assert knowing > 0.65
    assert noise > 0.0
    assert [one.version for one in found.members] == ["v-lightgbm", "v-linear"]
    assert [one.digest for one in found.members] == [one.manifest.digest for one in members]
    assert found.parameters["weight_linear"] == knowing
    assert found.required == ("a", "b")
    assert elect(data, *members).members == found.members


def test_the_vote_of_a_block_is_made_without_it(settings: Settings) -> None:
    data = market()
    platt = Calibration(kind="platt", a=1.0, b=0.0)
    members = [member(settings, data, "lightgbm", "b", calibration=platt), member(settings, data, "linear", "a")]
    rows = split(data).calibration
    rows = rows[~np.isnan(data.X[rows, 1])]
    known, asked = np.arange(200), np.arange(200, len(rows))
    other = replace(data, up=data.up.copy())
    other.up[rows[asked]] = 1.0 - data.up[rows[asked]]
    made = [elect(one, *members).remade for one in (data, other)]
    assert len(made[0](known)) == len(rows)
    assert (made[0](known) == made[1](known)).all()
    assert not (made[0](asked) == made[1](asked)).any()


def test_fixed_weights_are_taken_as_shares(settings: Settings) -> None:
    data = market()
    members = [member(settings, data, family, "a") for family in ("xgboost", "random_forest", "lstm")]
    assert [one.weight for one in elect(data, *members, weights="seeds").members] == [0.4, 0.3, 0.3]
    twice = elect(data, *members[:2], weights={"random_forest": 3.0, "xgboost": 1.0})
    assert [one.weight for one in twice.members] == [0.25, 0.75]
    with pytest.raises(MemberError, match="differ by lstm"):
        elect(data, *members[:2], weights="seeds")


def test_one_voter_is_no_ensemble(settings: Settings) -> None:
    data = market()
    with pytest.raises(MemberError, match="needs 2 members, linear would vote"):
        elect(data, member(settings, data, "linear", "a"))


@pytest.mark.parametrize("segment", ["validation", "calibration"])
def test_a_member_that_has_seen_what_the_ensemble_is_judged_on_may_not_vote(settings: Settings, segment: str) -> None:
    data = market()
    own = member(settings, data, "linear", "a").manifest.segments
    late = msgspec.structs.replace(own[segment], end=own[segment].end + timedelta(minutes=3))
    seen = member(settings, data, "xgboost", "a", segments={**own, segment: late})
    with pytest.raises(
        MemberError, match=r"xgboost v-xgboost was trained on other rows .*; train xgboost for the week 2025-10-12"
    ):
        elect(data, member(settings, data, "lightgbm", "b"), seen)


def test_voters_are_the_other_families_unless_they_are_named() -> None:
    families = ("lightgbm", "ensemble", "linear")
    assert ModelSettings(families=families).voters == ("lightgbm", "linear")
    assert ModelSettings(families=families, ensemble=EnsembleSettings(members=("lstm", "linear"))).voters == ("lstm", "linear")
    seeds = ModelSettings(families=families, ensemble=EnsembleSettings(weights="seeds"))
    assert seeds.voters == ("xgboost", "random_forest", "lstm")


@pytest.mark.parametrize(
    "wrong",
    [
        {"members": ("linear", "ensemble")},
        {"members": ("linear", "lstm"), "weights": {"linear": 1.0}},
        {"weights": {"linear": -1.0}},
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EnsembleSettings(**wrong)  # type: ignore[arg-type]


def test_weights_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_MODELS__ENSEMBLE__WEIGHTS", "seeds")
    assert Settings().models.ensemble.fixed == {"xgboost": 0.4, "random_forest": 0.3, "lstm": 0.3}
    monkeypatch.setenv("SPX_MODELS__ENSEMBLE__WEIGHTS", '{"linear": 2, "lightgbm": 1}')
    assert Settings().models.ensemble.fixed == {"linear": 2.0, "lightgbm": 1.0}
