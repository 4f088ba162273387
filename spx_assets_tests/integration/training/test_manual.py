"""Decisions by hand: with a reason, recorded like any other, refused where they cannot stand."""

from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.scoring import artifact, current
from spx_assets.scoring.errors import ArtifactAlteredError
from spx_assets.settings import Settings
from spx_assets.training import manual, promotion, standing
from spx_assets.training.errors import ManualDecisionError
from spx_assets_tests.integration.training.conftest import LAST, NAME


def champion(settings: Settings) -> str | None:
    found = current.read(settings.artifacts, NAME)
    return found.champion if found else None


def test_a_version_promoted_by_hand_is_served_and_the_one_before_comes_back(home: Settings, taught: tuple[Path, str, str]):
    older, last = taught[1:]
    lake = Lake.open(home)
    promotion.decide(lake, home, name=NAME, week=LAST, run_id="run")
    assert champion(home) == last

    row = manual.promote(lake, home, version=older, reason="  the newest\nweek is odd ")
    assert (row["verdict"], row["reason"], row["moves_current"]) == ("manual", "the newest week is odd", True)
    assert (row["champion_before"], row["champion_after"], row["tests"]) == (last, older, 1)
    assert champion(home) == older
    verdict = artifact.load(artifact.folder(home.artifacts, NAME, older)).verdict
    assert verdict is not None
    assert verdict.verdict == "manual"

    back = manual.rollback(lake, home, name=NAME, reason="it was not")
    assert (back["version"], champion(home)) == (last, last)
    assert standing.recorded(lake, name=NAME)["verdict"].to_list() == ["promoted", "manual", "manual"]
    assert standing.restore(lake, home, name=NAME).champion == last


def test_the_gate_run_again_does_not_undo_what_a_person_decided(home: Settings, taught: tuple[Path, str, str]):
    older, last = taught[1:]
    lake = Lake.open(home)
    promotion.decide(lake, home, name=NAME, week=LAST, run_id="run")
    manual.promote(lake, home, version=older, reason="the newest week is odd")
    again = promotion.decide(lake, home, name=NAME, week=LAST, run_id="run")
    assert (again.rows[0]["version"], again.rows[0]["verdict"], champion(home)) == (last, "promoted", older)
    assert standing.recorded(lake, name=NAME)["verdict"].to_list() == ["promoted", "manual"]


def test_a_second_rollback_goes_one_champion_further_back():
    assert manual.champions(["a", "b", "c"]) == ["a", "b", "c"]
    assert manual.champions(["a", "b", "c", "b"]) == ["a", "b"]
    assert manual.champions(["a", "b", "c", "b", "a"]) == ["a"]
    assert manual.champions(["a", "a", "d"]) == ["a", "d"]
    assert manual.champions([]) == []


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_decision_without_a_reason_is_not_made(home: Settings, taught: tuple[Path, str, str], reason: str):
    with pytest.raises(ManualDecisionError, match="needs a reason"):
        manual.promote(Lake.open(home), home, version=taught[1], reason=reason)
    assert champion(home) is None
    assert standing.recorded(Lake.open(home), name=NAME).is_empty()


def test_what_cannot_stand_is_refused(home: Settings, taught: tuple[Path, str, str]):
    lake, last = Lake.open(home), taught[2]
    with pytest.raises(ManualDecisionError, match="spx models list"):
        manual.promote(lake, home, version="20990101T0Z", reason="why")
    with pytest.raises(ManualDecisionError, match="had no other champion before"):
        manual.rollback(lake, home, name=NAME, reason="why")
    manual.promote(lake, home, version=last, reason="why")
    with pytest.raises(ManualDecisionError, match="is the champion of spx500_h30 already"):
        manual.promote(lake, home, version=last, reason="why")


def test_an_altered_graph_is_not_promoted(home: Settings, taught: tuple[Path, str, str]):
    graph = artifact.folder(home.artifacts, NAME, taught[1]) / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-100])
    with pytest.raises(ArtifactAlteredError, match=r"model\.onnx was altered"):
        manual.promote(Lake.open(home), home, version=taught[1], reason="why")
    assert champion(home) is None
