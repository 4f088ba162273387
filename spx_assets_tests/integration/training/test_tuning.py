"""Tuning: two stages, resumed after a kill, the same in one go; only fit and validation rows, only settings of the family."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from spx_assets.training import cross_validation, families, learn, rehearsal
from spx_assets.training.errors import NotEnoughRowsError
from spx_assets.training.tuning import objective, spaces, trials, tuner
from spx_assets.training.tuning.results import TrialResult
from spx_assets_tests.integration.training import tuned
from spx_assets_tests.unit.training import planted


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuner.Tuned, list[TrialResult]]:
    """A home with a finished tuning, what came of it and its trials."""
    home, told = tmp_path_factory.mktemp("tuned"), []
    return home, tuned.tune(tuned.settings(home), on_trial=told.append), told


def start(home: Path, *, pause_s: float = 0.0, killed_at: int = 0) -> subprocess.Popen[str]:
    """A process that tunes in `home`, prints each trial, then pauses, and may be killed inside one."""
    command = [sys.executable, "-m", "spx_assets_tests.integration.training.tuned", str(home), str(pause_s), str(killed_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])


def studies(home: Path) -> dict[str, list[FrozenTrial]]:
    """Trials of each stage."""
    url = f"sqlite:///{home / 'tuning' / 'trials.db'}"
    names = optuna.get_all_study_names(url)
    return {name.split("/")[-1].split("-")[0]: optuna.load_study(study_name=name, storage=url).trials for name in names}


def test_six_broad_trials_then_four_around_the_best_of_them(done) -> None:
    _, best, told = done
    assert [(trial.stage, trial.finished, trial.wanted) for trial in told] == [
        *(("broad", n, 6) for n in range(1, 7)),
        *(("narrow", n, 4) for n in range(1, 5)),
    ]
    assert best.trials == 10
    broad_best = min((t for t in told if t.stage == "broad" and t.state == "complete"), key=lambda t: t.loss)
    around = spaces.narrowed(spaces.of("lightgbm"), broad_best.parameters, share=1 / 3)
    for trial in told[6:]:
        assert all(part.holds(trial.parameters[part.name]) for part in around)
    winner = min((t for t in told if t.state == "complete"), key=lambda t: t.loss)
    assert (best.loss, best.parameters) == (winner.loss, winner.parameters)
    assert best.models.lightgbm == planted.settings().lightgbm.model_copy(update=winner.parameters)


def test_the_loss_of_a_trial_is_that_of_a_whole_fit_with_its_parameters(done) -> None:
    told = done[2][0]
    data = planted.data(linear=1.0, nonlinear=1.0)
    segments, weight = planted.segments(data), learn.weights(data)
    chosen = objective.with_parameters(planted.settings(), "lightgbm", told.parameters)
    fitted = families.get("lightgbm").fit(data, cross_validation.only(segments.fit, segments.validation), weight, chosen)
    losses = cross_validation.losses(data, weight, *cross_validation.forecasts(fitted, data, segments.validation))
    assert told.loss == pytest.approx(losses.log_loss, abs=1e-9)


def test_the_settings_own_parameters_are_tried_first(tmp_path) -> None:
    told: list[TrialResult] = []
    tuned.tune(tuned.settings(tmp_path, broad_trials=1, narrow_trials=0), family="linear", on_trial=told.append)
    assert told[0].parameters == {"winsor": 0.005}


def test_the_same_seed_finds_the_same_trials_in_another_home_and_a_finished_tuning_runs_none(done, tmp_path) -> None:
    home, best, told = done
    again: list[TrialResult] = []
    assert tuned.tune(tuned.settings(tmp_path), on_trial=again.append) == best
    assert [(t.parameters, t.loss) for t in again] == [(t.parameters, t.loss) for t in told]
    more: list[TrialResult] = []
    assert tuned.tune(tuned.settings(home), on_trial=more.append) == best
    assert more == []


def test_rows_after_validation_change_nothing(done, tmp_path) -> None:
    data = planted.data(linear=1.0, nonlinear=1.0)
    segments, weight = planted.segments(data), learn.weights(data)
    for rows in (segments.calibration, segments.out_of_time):
        data.return_bp[rows], data.up[rows], data.X[rows] = 1e6, 1.0, -7.0
        weight[rows] = 0.0
    chosen = tuned.settings(tmp_path, narrow_trials=0)
    best = tuner.tune(data, segments, weight, chosen, name="spx500_h30", family="lightgbm", week=tuned.WEEK)
    broad = [trial.loss for trial in done[2][:6] if trial.state == "complete"]
    assert best.loss == min(broad)


@pytest.mark.parametrize(
    "killed_at", [4, *(pytest.param(at, marks=pytest.mark.long) for at in (1, 8))], ids=lambda at: f"in_trial_{at}"
)
def test_a_killed_trial_is_marked_failed_and_run_again_and_no_finished_one_is_repeated(done, tmp_path, killed_at) -> None:
    process = start(tmp_path, killed_at=killed_at)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    before = studies(tmp_path)
    stage = "broad" if killed_at <= 6 else "narrow"
    (left,) = [trial for trial in before[stage] if trial.state == TrialState.RUNNING]
    finished = {name: [trial for trial in made if trial.state in trials.FINISHED] for name, made in before.items()}
    assert sum(map(len, finished.values())) == killed_at - 1
    told: list[TrialResult] = []
    best = tuned.tune(tuned.settings(tmp_path), on_trial=told.append)
    after = studies(tmp_path)
    for name, made in finished.items():
        assert after[name][: len(made)] == made
    assert len(told) == 10 - (killed_at - 1)
    assert best.trials == 10
    assert after[stage][left.number].state == TrialState.FAIL
    (again,) = [trial for trial in after[stage] if trial.user_attrs.get("again") == left.number]
    assert (again.params, again.state in trials.FINISHED) == (left.params, True)
    assert all(trial.state.is_finished() for made in after.values() for trial in made)
    assert left.params in [dict(trial.parameters) for trial in done[2]]


@pytest.mark.long
def test_two_workers_share_one_study_and_its_count(tmp_path) -> None:
    workers = [start(tmp_path, pause_s=0.1) for _ in range(2)]
    told = [worker.communicate(timeout=120)[0].splitlines() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(len(lines) > 0 for lines in told) == [True, True]
    stages = studies(tmp_path)
    # Both may look, see one trial missing, and begin it.
    assert 6 <= len(stages["broad"]) <= 7
    assert 4 <= len(stages["narrow"]) <= 5
    assert sum(map(len, told)) == len(stages["broad"]) + len(stages["narrow"])


def test_no_trial_starts_after_the_seconds_are_spent(tmp_path) -> None:
    told: list[TrialResult] = []

    def slow(result: TrialResult) -> None:
        told.append(result)
        time.sleep(2.1)

    best = tuned.tune(tuned.settings(tmp_path, seconds=2.0), family="linear", on_trial=slow)
    assert [(trial.finished, trial.state) for trial in told] == [(1, "complete")]
    assert (best.trials, best.loss) == (1, told[0].loss)


def test_folds_as_the_objective_give_the_mean_of_the_folds_and_keep_their_spread(tmp_path) -> None:
    chosen = tuned.settings(tmp_path, objective="folds", folds=2, broad_trials=2, narrow_trials=0, return_weight=0.5)
    told: list[TrialResult] = []
    best = tuned.tune(chosen, family="linear", on_trial=told.append)
    assert best.validated is not None
    assert len(best.validated.folds) == 2
    assert best.loss == pytest.approx(np.mean([f.log_loss + 0.5 * f.squared_error for f in best.validated.folds]))
    data = planted.data(linear=1.0, nonlinear=1.0)
    run = cross_validation.run(families.get("linear"), data, planted.segments(data), learn.weights(data), best.models, n=2)
    assert run == best.validated


@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_a_trial_that_falls_behind_is_given_up_and_counted(tmp_path, pruner) -> None:
    chosen = tuned.settings(tmp_path, pruner=pruner)
    kept = trials.storage(chosen)
    made = trials.make(
        chosen.tuning, kept, study_name="known", model="m", stage="broad", space=(spaces.Real("x", 0.0, 1.0),), wanted=14
    )

    def measure(parameters, report):
        for step in range(1, 5):
            report(step, parameters["x"] + 1 / step)
        return parameters["x"], ()

    told: list[TrialResult] = []
    made.run(measure, first={"x": 0.5}, until=None, on_trial=told.append)
    assert [trial.finished for trial in told] == list(range(1, 15))
    assert told[0].parameters == {"x": 0.5}
    assert {trial.state for trial in told} == {"complete", "pruned"}
    lost = [trial.parameters["x"] for trial in told if trial.state == "pruned"]
    won = [trial.parameters["x"] for trial in told if trial.state == "complete"]
    assert min(lost) > min(won)
    best = made.best()
    assert best is not None
    assert best.params == {"x": min(won)}


@pytest.mark.parametrize("family", ["lightgbm", "xgboost"])
def test_boosting_tells_its_watch_how_far_it_has_come_and_ends_where_the_watch_raises(family) -> None:
    data, models = planted.data(), planted.settings()
    segments = planted.segments(data)
    fits = rehearsal.of(families.get(family), data, segments, learn.weights(data), models)
    seen: list[tuple[float, float]] = []

    def watch(learned: float, loss: float) -> None:
        seen.append((learned, loss))
        if len(seen) == 4:
            raise optuna.TrialPruned

    with pytest.raises(optuna.TrialPruned):
        fits.forecasts(models, segments.validation, returns=False, watch=watch)
    # Rounds at a learning rate of 0.1, each of a lower loss.
    assert [learned for learned, _ in seen] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert seen[0][1] > seen[3][1]


@pytest.mark.parametrize("family", ["lightgbm", "xgboost"])
def test_a_rehearsal_forecasts_what_a_whole_fit_does(family) -> None:
    data, models = planted.data(), planted.settings()
    segments, weight = planted.segments(data), learn.weights(data)
    other = objective.with_parameters(models, family, {"learning_rate": 0.2})
    fits = rehearsal.of(families.get(family), data, segments, weight, models)
    whole = rehearsal.Plain(families.get(family), data, segments, weight)
    for chosen in (models, other, models):
        rows, value, p = fits.forecasts(chosen, segments.validation, returns=True, watch=lambda *_: None)
        expected = whole.forecasts(chosen, segments.validation, returns=True, watch=lambda *_: None)
        np.testing.assert_array_equal(rows, expected[0])
        np.testing.assert_allclose(value, expected[1], atol=1e-6)
        np.testing.assert_allclose(p, expected[2], atol=1e-6)


def test_a_trial_that_fails_is_told_and_stops_the_tuning(tmp_path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotEnoughRowsError("no rows")

    monkeypatch.setattr(objective.Objective, "__call__", refuse)
    told: list[TrialResult] = []
    with pytest.raises(NotEnoughRowsError, match="no rows"):
        tuned.tune(tuned.settings(tmp_path), on_trial=told.append)
    assert [trial.state for trial in told] == ["failed"]
    assert [trial.state.name for trial in studies(tmp_path)["broad"]] == ["FAIL"]


def test_every_family_can_be_tuned(tmp_path) -> None:
    for family, space in spaces.SPACES.items():
        if family not in families.MODULES or not space or family == "lstm":
            continue
        best = tuned.tune(tuned.settings(tmp_path, broad_trials=1, narrow_trials=1), family=family)
        assert best.trials == 2
        assert set(best.parameters) == {part.name for part in space}


def test_a_family_with_nothing_to_tune_keeps_its_settings(tmp_path) -> None:
    best = tuned.tune(tuned.settings(tmp_path), family="ensemble")
    assert (best.trials, dict(best.parameters), best.models) == (0, {}, planted.settings())
    assert not (tmp_path / "tuning").exists()
