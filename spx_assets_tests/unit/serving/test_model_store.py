"""The model store: follows current.json, refuses what cannot be trusted, keeps what answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from serving.app import create_app
from serving.health import report
from serving.keys import KeyStore
from serving.model_store import ModelStore
from serving.problems import BadArtifact
from serving.remembered import Manual
from spx_assets.scoring import current
from spx_assets.settings import Settings
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.serving.homes import ask, home, model, service, vector

SECOND = "20251016T160000Z-0001"


def store(settings: Settings) -> ModelStore:
    made = ModelStore(settings)
    made.refresh()
    return made


def versions(found: ModelStore) -> dict[str, str]:
    return {name: served.manifest.version for name, served in found.models.items()}


def test_a_new_generation_replaces_the_model(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first = model(settings)
    found = store(settings)
    before = found.models
    model(settings, version=SECOND)
    found.refresh()
    assert versions(found) == {"spx500_h30": SECOND}
    assert before["spx500_h30"].manifest.version == first.manifest.version  # a request in flight keeps what it took


def test_an_unchanged_generation_is_not_loaded_again(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    found = store(settings)
    served = found.models["spx500_h30"]
    found.refresh()
    assert found.models["spx500_h30"] is served


@pytest.mark.parametrize("damage", ["truncated", "one bit", "missing", "manifest", "pickle"])
def test_a_damaged_new_model_is_refused_and_the_old_one_goes_on(tmp_path: Path, damage: str) -> None:
    settings = home(tmp_path)
    first = model(settings)
    running = service(settings, vector())
    second = model(settings, version=SECOND, weights=(9.0, 9.0, 9.0))
    path = second.folder / ("manifest.json" if damage == "manifest" else "model.onnx")
    raw = path.read_bytes()
    match damage:
        case "truncated":
            path.write_bytes(raw[: len(raw) // 2])
        case "one bit":
            path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        case "missing":
            path.unlink()
        case "manifest":
            path.write_text(json.dumps(json.loads(raw) | {"interval_level": 0.5}))
        case "pickle":
            path.write_bytes(b"\x80\x04\x95\x00")
    running.models.refresh()
    answer = running.predict(ask())
    assert answer.model_digest == first.manifest.digest
    assert answer.expected_return_bp == pytest.approx(0.6, abs=1e-6)
    health = report(running)
    assert health.status == "degraded"
    assert path.name in health.problems[0]
    path.write_bytes(raw)
    running.models.refresh()
    assert running.predict(ask()).model_digest == second.manifest.digest
    assert report(running).status == "healthy"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"feature_set_hash": "0" * 16}, "other feature definitions"),
        ({"lookback_days": 5}, "SPX_LOOKBACK_DAYS is 3"),
    ],
)
def test_a_foreign_model_is_refused_and_requests_say_why(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    settings = home(tmp_path)
    model(settings, **changes)
    running = service(settings, vector())
    assert not running.models.models
    with pytest.raises(BadArtifact, match=said):
        running.predict(ask())


def test_a_model_of_features_nobody_makes_is_refused(tmp_path: Path) -> None:
    settings = home(tmp_path)
    toy.serve(settings.artifacts, toy.write(settings.artifacts, toy.manifest(("a", "b")), (1.0, 2.0)))
    assert "['a', 'b'] that are not in this version's catalog" in store(settings).refused["spx500_h30"]


def test_an_unreadable_current_json_keeps_the_model(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    found = store(settings)
    path = settings.artifacts / "models" / "spx500_h30" / current.FILE
    damages = {"write it again from models.promotions": lambda: path.write_text("{"), "run the gate again": path.unlink}
    for remedy, damage in damages.items():
        damage()
        found.refresh()
        assert versions(found) == {"spx500_h30": made.manifest.version}
        assert remedy in found.refused["spx500_h30"]


def test_a_model_that_is_served_no_more_is_dropped(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    found = store(settings)
    current.replace(settings.artifacts, "spx500_h30", champion=None, challenger="x", flagged=None)
    found.refresh()
    assert versions(found) == {}
    assert not found.refused


def test_a_champion_nobody_judged_answers_unjudged_and_never_signals(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    (made.folder / "verdict.json").unlink()
    answer = service(settings, vector()).predict(ask())
    assert (answer.gate, answer.signal) == ("unjudged", "hold")


def test_a_promotion_between_an_unload_and_the_look_behind_it_is_no_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = home(tmp_path)
    made = model(settings).manifest.version
    _, key = KeyStore(settings).create("ops", "operator")
    unload = ModelStore.unload

    def promoted(found: ModelStore, name: str, *, by: str) -> Manual:
        told = unload(found, name, by=by)
        current.replace(settings.artifacts, name, champion=made, challenger=None, flagged=None)
        return told

    monkeypatch.setattr(ModelStore, "unload", promoted)
    with TestClient(create_app(settings)) as client:
        answer = client.delete("/models/spx500_h30", headers={"x-api-key": key})
        assert (answer.status_code, answer.json()) == (200, {"name": "spx500_h30", "version": made, "generation": 1})
        assert [found["version"] for found in client.get("/models").json()] == [made]
