"""Promotions killed by SIGKILL: no torn registry, no half artifact, and the next one ends as if nothing had happened."""

import subprocess
import sys
from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.lake.records import newest
from spx_assets.scoring import artifact, current
from spx_assets.settings import Settings
from spx_assets_tests.integration.training import killing
from spx_assets_tests.integration.training.conftest import LAST, NAME
from spx_assets_tests.integration.training.test_registry import aliases, statuses


@pytest.mark.parametrize("kills", [0, pytest.param(12, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_promotion_killed_again_and_again_ends_as_one_that_was_not(home: Settings, taught: tuple[Path, str, str], kills: int):
    """Killed at every write of it; in the long suite also at random moments."""
    older, last = taught[1:]
    command = [sys.executable, "-m", killing.__name__, str(home.home), last, str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    now = current.read(home.artifacts, NAME)
    assert now is not None
    assert (now.generation, now.champion, now.challenger, now.flagged) == (1, last, None, None)
    verdict = artifact.load(artifact.folder(home.artifacts, NAME, last)).verdict
    assert verdict is not None
    assert verdict.verdict == "promoted"
    lake = Lake.open(home)
    rows = lake.read("models.promotions")
    assert rows.select("version", "verdict", "tests", "champion_after").rows() == [(last, "promoted", 1, last)]
    assert newest(lake, "models.promotions", f"models/{NAME}/champion")[LAST].rows == 1
    assert (statuses(home), aliases(home)) == ({older: "candidate", last: "champion"}, {"champion": last})
