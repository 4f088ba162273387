"""A program that kills promotions: it imports once, then forks a process for each kill.

    python -m spx_assets_tests.integration.training.killing HOME VERSION KILLS

Belongs here: killing by SIGKILL at every write of a version and of a decision (KILLS 0), or after random times. Does not:
asserting what is left in the end, which is the test's. It opens neither lake nor MLflow, whose threads no fork would survive.
The signatures of a lake's extensions are checked once: 1 CPU s of each fork's 2.
"""

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: F401  the store is imported by its URI: once is enough

from spx_assets.assets import registry
from spx_assets.lake import Lake, extensions
from spx_assets.scoring import artifact, current
from spx_assets.settings import Settings
from spx_assets.training import promotion
from spx_assets_tests.integration.training.market import LAST, NAME, settings_of

STEPS = (
    (Lake, "append", "after", 1),  # the rows are committed
    (Path, "replace", "before", 2),  # verdict.json is in place, current.json written beside its place
    (Lake, "write", "before", 1),  # current.json is in place, the week has no record
    (MlflowClient, "create_model_version", "before", 1),
    (MlflowClient, "create_model_version", "after", 1),  # one of two versions is registered
    (MlflowClient, "set_registered_model_alias", "before", 1),
    (MlflowClient, "set_registered_model_alias", "after", 1),
)
"""Writes of a decision in their order, and the call that is killed. What a killed one left is what the next begins with."""
RENAMES = (("replace", 1), ("replace", 2), ("rename", 1))
"""How `artifact.write` puts a graph, its manifest and then the folder of both in place."""


def decide(settings: Settings) -> None:
    """What the champion asset does."""
    lake = Lake.open(settings)
    promotion.decide(lake, settings, name=NAME, week=LAST, run_id="run", inputs_hash="inputs")
    registry.sync(settings, lake, name=NAME)


def dying(owner: Any, attribute: str, when: str, *, call: int) -> None:
    """The process kills itself before or after that call of it."""
    real, calls = getattr(owner, attribute), 0

    def step(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if (when, calls) == ("before", call):
            os.kill(os.getpid(), signal.SIGKILL)
        told = real(*given, **named)
        if (when, calls) == ("after", call):
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    setattr(owner, attribute, step)


def forked(work: Callable[[], None], *, killed_after_s: float | None = None) -> int:
    """Exit code of a process that did `work`; that of a killed one is the negative signal."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    if killed_after_s is not None:
        time.sleep(killed_after_s)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def whole(settings: Settings) -> None:
    """Every version in the store is complete, and `current.json` is not there or readable; else an ArtifactError."""
    for folder in (artifact.root(settings.artifacts) / NAME).glob("2*"):
        artifact.load(folder)
    current.read(settings.artifacts, NAME)


def kill_writers(settings: Settings, version: str) -> None:
    """Kills a process at each rename of a version it writes, a copy of `version`; the same is written whole afterwards."""
    source = artifact.load(artifact.folder(settings.artifacts, NAME, version))
    copy = msgspec.structs.replace(source.manifest, version=f"{version}-copy")
    target = artifact.folder(settings.artifacts, NAME, copy.version)
    for attribute, call in RENAMES:

        def killed(rename: str = attribute, number: int = call) -> None:
            dying(Path, rename, "before", call=number)
            artifact.write(settings.artifacts, copy, {artifact.MODEL: source.model})

        assert forked(killed) == -signal.SIGKILL, (attribute, call)
        assert not target.exists()
        whole(settings)
    assert artifact.write(settings.artifacts, copy, {artifact.MODEL: source.model}).model == source.model


def kill_decisions(settings: Settings) -> None:
    """Kills a decision at each of its writes, one after the other, then lets one end."""
    for owner, attribute, when, call in STEPS:

        def killed(at: tuple[Any, str, str] = (owner, attribute, when), number: int = call) -> None:
            dying(*at, call=number)
            decide(settings)

        assert forked(killed) == -signal.SIGKILL, (attribute, when)
        whole(settings)
    assert forked(lambda: decide(settings)) == 0


def kill_at_random(settings: Settings, times: int, seed: int = 7) -> None:
    """Kills decisions after random times of up to a second, most of what one takes, then lets one end."""
    rng = random.Random(seed)
    for _ in range(times):
        forked(lambda: decide(settings), killed_after_s=rng.uniform(0.0, 1.0))
        whole(settings)
    assert forked(lambda: decide(settings)) == 0


if __name__ == "__main__":
    with duckdb.connect() as checking:
        for extension in ("ducklake", "sqlite_scanner"):
            extensions.load(checking, extension)
    given, kills = settings_of(Path(sys.argv[1])), int(sys.argv[3])
    if kills:
        kill_at_random(given, kills)
    else:
        kill_writers(given, sys.argv[2])
        kill_decisions(given)
