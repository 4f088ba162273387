"""Trials of one stage: drawn, run, kept, and run again where a process was killed.

Belongs here: Optuna. Does not: what a trial measures (`objective`), the stages (`tuner`).

Trials live in a database that several processes may share. Each trial beats while it runs; one that is silent for the grace is
marked as failed and its parameters are put back in the queue. Counts are of finished trials, completed or given up early: a
worker that finds the rest of a stage in the hands of others waits for them, as the next stage begins at the best of this one.
"""

import logging
import sqlite3
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from spx_assets.settings import Settings, TuningSettings
from spx_assets.training.cross_validation import Losses
from spx_assets.training.errors import TuningError
from spx_assets.training.tuning.results import OnTrial, TrialResult
from spx_assets.training.tuning.spaces import Range, Real, Space, Value

STARTUP = 8
"""Trials drawn at random before TPE has enough to tell good from bad."""
POLL_S = 0.2
PATIENCE_S = 60
"""How long a commit waits for another worker's."""
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

logger = logging.getLogger(__name__)


Measure = Callable[[Mapping[str, Value], Callable[[int, float], None]], tuple[float, Sequence[Losses]]]
"""(parameters, report) -> (value to be minimised, losses of the folds)."""


def storage(settings: Settings) -> optuna.storages.RDBStorage:
    """Where trials are kept: the URL of the settings, else SQLite in the home."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = settings.home / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "trials.db"
    url = settings.tuning.storage or f"sqlite:///{own}"
    patient: dict[str, Any] = {"connect_args": {"timeout": PATIENCE_S}} if url.startswith("sqlite") else {}
    if not settings.tuning.storage:
        patient = {"creator": lambda: _connect(own)}
    grace = settings.tuning.grace_s
    # Two processes that make the tables at once fail each other.
    with filelock.FileLock(folder / "trials.lock"), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.RDBStorage(
            url,
            engine_kwargs=patient,
            heartbeat_interval=max(1, grace // 4),
            grace_period=grace,
            heartbeat_stale_trial_callback=_again,
        )


def _connect(path: Path) -> sqlite3.Connection:
    """The home's trials with a log beside the file, which is not synced at each of a trial's commits, one a report.

    Synced, 14 trials that measure nothing waited 6 s for the disk beside 3.6 CPU s. A killed process loses nothing; a machine
    without power loses the last trials, which are run again, and the file stays whole.
    """
    connection = sqlite3.connect(path, timeout=PATIENCE_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Puts a killed trial's parameters back in the queue; one killed before it had any is drawn anew."""
    if trial.params:
        study.enqueue_trial(trial.params, user_attrs={"again": trial.number})


class Seeded(optuna.samplers.BaseSampler):
    """TPE whose draw depends on the seed, on the trial's place and on the trials before it, not on which process draws.

    A sampler seeded once draws its first trials again in every process that resumes the study. The place does not count failed
    trials, so a study that was killed and resumed draws what it would have drawn in one go.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = optuna.samplers.TPESampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        failed = sum(other.state == TrialState.FAIL and other.number < trial.number for other in study.get_trials(deepcopy=False))
        (state,) = np.random.SeedSequence([self._seed, trial.number - failed]).generate_state(1)
        self._tpe = optuna.samplers.TPESampler(seed=int(state), n_startup_trials=STARTUP)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, Any]) -> dict[str, Any]:
        return self._tpe.sample_relative(study, trial, search_space)

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: Any) -> Any:
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)


def pruner(tuning: TuningSettings) -> optuna.pruners.BasePruner:
    """What gives up a trial that falls behind."""
    if tuning.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1)
    if tuning.pruner == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    return optuna.pruners.NopPruner()


@dataclass(frozen=True)
class Stage:
    """A study and how many finished trials it shall have."""

    model: str
    name: str
    study: optuna.Study
    space: Space
    wanted: int

    def run(self, measure: Measure, *, first: Mapping[str, Value] | None, until: float | None, on_trial: OnTrial) -> None:
        """Runs trials until enough are finished, in this process or others; none starts later than `until` (monotonic seconds).

        `first` is tried before anything is drawn, if the study is new and it lies in the space.
        """
        if first and not self.study.get_trials(deepcopy=False) and all(part.holds(first[part.name]) for part in self.space):
            self.study.enqueue_trial({part.name: first[part.name] for part in self.space})
        self._beat_for_the_silent()
        while len(self.finished()) < self.wanted and (until is None or time.monotonic() < until):
            self._fail_stale()
            if len(self.finished()) + len(self._trials(TrialState.RUNNING)) >= self.wanted:
                time.sleep(POLL_S)
                continue
            self.study.optimize(
                lambda trial: self._attempt(trial, measure, on_trial),
                n_trials=1,
                callbacks=[lambda _, trial: on_trial(self._result(trial))],
            )

    def finished(self) -> list[FrozenTrial]:
        """Completed and pruned trials in the order in which they ended."""
        return sorted(self._trials(*FINISHED), key=lambda trial: (trial.datetime_complete, trial.number))

    def best(self) -> FrozenTrial | None:
        """The completed trial of the lowest value among the first `wanted` finished: the same for every worker at any time."""
        complete = [trial for trial in self.finished()[: self.wanted] if trial.state == TrialState.COMPLETE]
        return min(complete, key=rank, default=None)

    def _attempt(self, trial: optuna.Trial, measure: Measure, on_trial: OnTrial) -> float:
        def report(step: int, loss: float) -> None:
            trial.report(loss, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            parameters = {part.name: _drawn(trial, part) for part in self.space}
            value, losses = measure(parameters, report)
            if not np.isfinite(value):
                raise TuningError(
                    f"the trial {parameters} has a loss of {value}: no evaluated row has a direction and a full sequence; "
                    "backfill more weeks"
                )
            trial.set_user_attr("losses", [[fold.log_loss, fold.auc, fold.squared_error] for fold in losses])
        except optuna.TrialPruned:
            raise
        except BaseException:
            on_trial(self._result(self.study.get_trials(deepcopy=False)[trial.number], failed=True))
            raise
        return value

    def _result(self, trial: FrozenTrial, *, failed: bool = False) -> TrialResult:
        complete = trial.state == TrialState.COMPLETE
        ended = trial.datetime_complete or datetime.now(UTC)
        result = TrialResult(
            model=self.model,
            stage=self.name,
            number=trial.number,
            finished=len(self.finished()),
            wanted=self.wanted,
            state="failed" if failed else "complete" if complete else "pruned",
            parameters=trial.params,
            loss=trial.value if complete else None,
            losses=losses_of(trial),
            began=(trial.datetime_start or ended).astimezone(),
            ended=ended.astimezone(),
        )
        logger.info("%s", result.words, extra={"trial": result})
        return result

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states)

    def _fail_stale(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(self.study)

    def _beat_for_the_silent(self) -> None:
        """One beat for every trial of others that runs: a trial killed before its first would never count as silent."""
        self._fail_stale()
        kept = self.study._storage
        if isinstance(kept, optuna.storages.RDBStorage):
            for trial in self._trials(TrialState.RUNNING):
                kept.record_heartbeat(trial._trial_id)


def rank(trial: FrozenTrial) -> float:
    """What a completed trial is chosen by, the least first."""
    return float("inf") if trial.value is None else trial.value


def losses_of(trial: FrozenTrial) -> tuple[Losses, ...]:
    """The losses of a trial's folds; empty unless it is complete."""
    return tuple(Losses(*fold) for fold in trial.user_attrs.get("losses", ()))


def _drawn(trial: optuna.Trial, part: Range) -> Value:
    if isinstance(part, Real):
        return trial.suggest_float(part.name, part.low, part.high, log=part.log)
    return trial.suggest_int(part.name, part.low, part.high, log=part.log)


def make(
    tuning: TuningSettings,
    kept: optuna.storages.RDBStorage,
    *,
    study_name: str,
    model: str,
    stage: str,
    space: Space,
    wanted: int,
) -> Stage:
    """The study of this name, as it stands or new."""
    study = optuna.create_study(
        storage=kept, study_name=study_name, sampler=Seeded(tuning.seed), pruner=pruner(tuning), load_if_exists=True
    )
    return Stage(model, stage, study, space, wanted)
