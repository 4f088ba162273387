"""Decisions run again: nothing is judged or counted twice, and one that stopped half way is completed."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock

from spx_assets.lake import Lake
from spx_assets.lake.records import newest
from spx_assets.scoring import artifact, current
from spx_assets.scoring.current import Current
from spx_assets.settings import Settings
from spx_assets.training import promotion
from spx_assets.training.errors import PromotionBusyError
from spx_assets_tests.integration.training.conftest import LAST, NAME, OLDER, train_week


class StoppedError(Exception):
    """Stands for the process that ended."""


def decided(settings: Settings, *, inputs_hash: str = "inputs") -> promotion.Decision:
    return promotion.decide(Lake.open(settings), settings, name=NAME, week=LAST, run_id="run", inputs_hash=inputs_hash)


def stricter(settings: Settings, **rules: float) -> Settings:
    gate = settings.models.gate.model_copy(update=rules)
    return settings.model_copy(update={"models": settings.models.model_copy(update={"gate": gate})})


def verdict_of(settings: Settings, version: str) -> str | None:
    found = artifact.load(artifact.folder(settings.artifacts, NAME, version)).verdict
    return found.verdict if found else None


def judged(settings: Settings) -> list[tuple[str, str, int]]:
    rows = Lake.open(settings).read("models.promotions").sort("decided_at")
    return rows.select("version", "verdict", "tests").rows()


def test_a_champion_judged_again_keeps_its_verdict_and_no_test_is_counted(home: Settings, taught: tuple[Path, str, str]):
    first = decided(home)
    standing = (home.artifacts / "models" / NAME / "current.json").read_bytes()
    again = decided(home, inputs_hash="others")
    assert list(again.rows) == list(first.rows)
    assert judged(home) == [(taught[2], "promoted", 1)]
    assert verdict_of(home, taught[2]) == "promoted"
    assert (home.artifacts / "models" / NAME / "current.json").read_bytes() == standing
    assert newest(Lake.open(home), "models.promotions", f"models/{NAME}/champion")[LAST].inputs_hash == "others"


def test_a_verdict_stands_until_its_evidence_or_the_rules_change(home: Settings, taught: tuple[Path, str, str]):
    version, strict = taught[2], stricter(home, min_effective_obs=1e6)
    assert [decided(strict).rows[0]["verdict"] for _ in range(2)] == ["no_edge", "no_edge"]
    assert judged(home) == [(version, "no_edge", 1)]
    assert decided(home).rows[0]["verdict"] == "promoted"
    decided(strict)  # the champion stays what it is
    assert judged(home) == [(version, "no_edge", 1), (version, "promoted", 2)]
    twin = train_week(home).version
    assert [decided(home).rows[0]["verdict"] for _ in range(2)] == ["kept_champion", "kept_champion"]
    assert judged(home)[2:] == [(twin, "kept_champion", 3)]
    assert (verdict_of(home, version), verdict_of(home, twin)) == ("promoted", "kept_champion")


@pytest.mark.parametrize("step", ["rows", "verdict", "current", "record"])
def test_a_decision_that_stops_at_any_step_is_completed_by_the_next(
    home: Settings, taught: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch, step: str
):
    where, attribute = {
        "rows": (Lake, "append"),
        "verdict": (artifact, "write_verdict"),
        "current": (current, "replace"),
        "record": (Lake, "write"),
    }[step]
    real = getattr(where, attribute)

    def stop(*given: object, **named: object) -> None:
        if step == "record" and named.get("append"):
            real(*given, **named)  # the rows
            return
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(where, attribute, stop)
        with pytest.raises(StoppedError):
            decided(home)
    # Without a record of the week a backfill runs it again.
    assert newest(Lake.open(home), "models.promotions", f"models/{NAME}/champion") == {}

    decided(home)
    assert judged(home) == [(taught[2], "promoted", 1)]
    assert verdict_of(home, taught[2]) == "promoted"
    now = current.read(home.artifacts, NAME)
    assert now is not None
    assert (now.generation, now.champion, now.flagged) == (1, taught[2], None)
    assert newest(Lake.open(home), "models.promotions", f"models/{NAME}/champion")[LAST].rows == 1


def test_a_decision_on_another_week_completes_the_one_that_stopped(
    home: Settings, taught: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(artifact, "write_verdict", lambda *_: (_ for _ in ()).throw(StoppedError))
        with pytest.raises(StoppedError):
            decided(home)
    assert (current.read(home.artifacts, NAME), verdict_of(home, taught[2])) == (None, None)
    promotion.decide(Lake.open(home), home, name=NAME, week=OLDER, run_id="run")
    assert (current.read(home.artifacts, NAME) or Current()).champion == taught[2]
    assert verdict_of(home, taught[2]) == "promoted"


@pytest.mark.parametrize("damage", [lambda path: path.write_text('{"champion": '), Path.unlink], ids=["unreadable", "gone"])
def test_a_lost_current_json_is_written_again_by_the_decision_run_again(
    home: Settings, taught: tuple[Path, str, str], damage: Callable[[Path], object]
):
    decided(stricter(home, min_effective_obs=1e6))
    decided(home)
    path = home.artifacts / "models" / NAME / "current.json"
    before = current.read(home.artifacts, NAME)
    assert before is not None
    assert (before.generation, before.champion) == (2, taught[2])
    damage(path)
    decided(home)
    after = current.read(home.artifacts, NAME)
    assert after is not None
    assert msgspec.structs.replace(after, updated_at=before.updated_at) == before
    assert len(judged(home)) == 2  # nothing was judged again


def test_a_decision_that_finds_another_under_way_says_what_to_do(home: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "LOCK_TIMEOUT_S", 0.05)
    with (
        FileLock(home.artifacts / "models" / NAME / ".promotion.lock"),
        pytest.raises(PromotionBusyError, match=r"another decision on spx500_h30 has held .* wait for that run or end it"),
    ):
        decided(home)
    assert judged(home) == []
