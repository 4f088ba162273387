"""Whom the store follows: an alias, an operator's word, the version verified last."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving import refused, remembered
from serving.health import report
from serving.model_store import ModelStore
from serving.problems import BadArtifact, NoModel, NoModelAt, UnknownModel, UnknownVersion
from serving.versions import KEPT, Versions
from spx_assets.scoring import artifact, current
from spx_assets.scoring.artifact import Artifact
from spx_assets.settings import ModelSettings, ServingSettings, Settings
from spx_assets_tests.unit.serving.homes import ask, home, model, service, vector

NAME = "spx500_h30"
SECOND, THIRD, FOURTH = (f"2025101{day}T160000Z-0001" for day in (6, 7, 8))


def store(settings: Settings) -> ModelStore:
    made = ModelStore(settings)
    made.refresh()
    return made


def answering(found: ModelStore) -> tuple[str, str] | None:
    model = found.models.get(NAME)
    return model and (model.manifest.version, model.alias)


def both(settings: Settings) -> tuple[Artifact, Artifact]:
    """A champion and a challenger."""
    champion = model(settings)
    challenger = model(settings, version=SECOND, verdict="kept_champion")
    current.replace(settings.artifacts, NAME, champion=champion.manifest.version, challenger=SECOND, flagged=None)
    return champion, challenger


def spoil(made: Artifact) -> bytes:
    path = made.folder / "model.onnx"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    return raw


def test_a_blue_and_a_green_service_run_from_one_current_json(tmp_path: Path) -> None:
    settings = home(tmp_path)
    champion, challenger = both(settings)
    green = home(tmp_path, serving=ServingSettings(alias="challenger"))
    assert answering(store(settings)) == (champion.manifest.version, "champion")
    follows = store(green)
    assert answering(follows) == (challenger.manifest.version, "challenger")
    assert service(green, vector()).predict(ask()).alias == "challenger"
    current.replace(settings.artifacts, NAME, champion=champion.manifest.version, challenger=None, flagged=None)
    follows.refresh()
    assert answering(follows) == (champion.manifest.version, "champion")


def test_a_start_with_a_bad_artifact_serves_what_was_verified_last_and_says_so(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first = model(settings)
    store(settings)
    second = model(settings, version=SECOND)
    raw = spoil(second)
    begun = service(settings, vector())
    answer = begun.predict(ask())
    assert (answer.model_version, answer.alias) == (first.manifest.version, "last_verified")
    assert report(begun).status == "degraded"
    assert [first.manifest.version in problem and "model.onnx was altered" in problem for problem in begun.models.problems()] == [
        True
    ]
    begun.models.refresh()
    assert answering(begun.models) == (first.manifest.version, "last_verified")
    (second.folder / "model.onnx").write_bytes(raw)
    begun.models.refresh()
    assert answering(begun.models) == (SECOND, "champion")
    assert begun.models.problems() == []
    spoil(first)
    spoil(second)
    assert answering(store(settings)) is None


def test_what_was_verified_last_is_not_served_once_it_is_another(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first = model(settings)
    store(settings)
    shutil.rmtree(first.folder)
    model(settings, weights=(9.0, 9.0, 9.0))  # the same version, another digest
    spoil(model(settings, version=SECOND))
    found = store(settings)
    assert answering(found) is None
    with pytest.raises(BadArtifact, match="was altered"):
        found.choose("SPX500_USD", horizon=None, name=None, known=())


def test_a_version_loaded_by_hand_answers_in_every_process_until_the_next_generation(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first, second = model(settings), model(settings, version=SECOND)
    one, other = store(settings), store(settings)
    one.load(NAME, version=first.manifest.version, alias=None, by="ops")
    for process in (one, other, store(settings)):
        process.refresh()
        assert answering(process) == (first.manifest.version, "manual")
    assert answering(store(home(tmp_path, serving=ServingSettings(alias="challenger")))) == (SECOND, "champion")
    running = service(settings, vector())
    assert running.predict(ask()).alias == "manual"
    health = report(running)
    assert health.status == "healthy"
    assert health.manual[NAME].startswith(f"{first.manifest.version} was loaded by ops at 20")
    model(settings, version=THIRD)
    for process in (one, other):
        process.refresh()
        assert answering(process) == (THIRD, "champion")
        assert process.manual == {}
    assert second.manifest.version == SECOND


def test_loading_the_alias_that_is_followed_undoes_a_manual_load(tmp_path: Path) -> None:
    settings = home(tmp_path)
    champion, challenger = both(settings)
    found = store(settings)
    found.load(NAME, version=None, alias="challenger", by="ops")
    found.refresh()
    assert answering(found) == (challenger.manifest.version, "manual")
    found.load(NAME, version=None, alias="champion", by="ops")
    found.refresh()
    assert answering(found) == (champion.manifest.version, "champion")
    with pytest.raises(UnknownVersion, match="has no flagged now"):
        found.load(NAME, version=None, alias="flagged", by="ops")


def test_an_unloaded_model_answers_no_more_and_says_who_did_it(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    running = service(settings, vector())
    running.models.unload(NAME, by="ops")
    running.models.refresh()
    with pytest.raises(NoModel, match=f"unloaded by ops at .*POST /models/{NAME}/load"):
        running.predict(ask())
    assert running.models.problems() == []
    running.models.load(NAME, version=made.manifest.version, alias=None, by="ops")
    running.models.refresh()
    assert running.predict(ask()).alias == "manual"


@pytest.mark.parametrize("silence", ["refused", "unloaded"])
def test_no_other_horizon_or_scope_answers_for_a_silent_forecaster(tmp_path: Path, silence: str) -> None:
    wide = {"spx500": ["SPX500_USD"], "usa": ["SPX500_USD", "NAS100_USD"]}
    settings = home(tmp_path, models=ModelSettings(scopes=wide))
    made = model(settings)
    model(settings, name="spx500_h60", horizon_minutes=60, version=SECOND)
    model(settings, name="usa_h30", instruments=("SPX500_USD", "NAS100_USD"), version=THIRD)
    if silence == "refused":
        spoil(made)
    running = service(settings, vector())
    if silence == "unloaded":
        running.models.unload(NAME, by="ops")
        running.models.refresh()
    for horizon in (None, 30):
        with pytest.raises(BadArtifact if silence == "refused" else NoModel, match=NAME):
            running.predict(ask(horizon=horizon))
    assert running.predict(ask(horizon=60)).model_name == "spx500_h60"
    assert running.predict(ask(name="usa_h30")).horizon_minutes == 30


def test_what_cannot_be_verified_is_not_loaded_by_hand(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first, second = model(settings), model(settings, version=SECOND)
    found = store(settings)
    spoil(first)
    for version, problem in ((first.manifest.version, BadArtifact), ("x", UnknownVersion), ("..", UnknownVersion)):
        with pytest.raises(problem):
            found.load(NAME, version=version, alias=None, by="ops")
    for name in ("other_h30", "..", ""):
        with pytest.raises(UnknownModel):
            found.load(name, version=SECOND, alias=None, by="ops")
        with pytest.raises(UnknownModel):
            found.unload(name, by="ops")
    found.refresh()
    assert answering(found) == (second.manifest.version, "champion")


def test_a_home_that_cannot_be_written_serves_on_and_takes_no_manual_load(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    (tmp_path / "serving").write_text("a file where the folder should be")
    found = store(settings)
    assert answering(found) is not None
    assert ["cannot be written" in problem or "not readable" in problem for problem in found.problems()] == [True] * len(
        found.problems()
    )
    with pytest.raises(OSError, match="serving"):
        found.unload(NAME, by="ops")
    found.refresh()
    assert answering(found) is not None


def test_a_file_of_manual_loads_that_cannot_be_read_is_said_and_not_followed(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    found = store(settings)
    path = tmp_path / "serving" / "manual-champion.json"
    path.write_text("{")
    found.refresh()
    assert answering(found) is not None
    assert "manual-champion.json is not readable" in found.problems()[0]
    path.unlink()
    found.refresh()
    assert found.problems() == []


def test_a_time_is_answered_by_who_was_served_then_else_by_the_newest_trained_before(tmp_path: Path) -> None:
    settings = home(tmp_path)
    end = datetime(2025, 10, 15, 16, tzinfo=UTC)
    first = model(settings, training_cutoff=end - timedelta(days=7)).manifest.version
    model(settings, version=SECOND, training_cutoff=end, verdict="not_entered")
    model(settings, version=FOURTH, training_cutoff=end, verdict="not_entered")
    model(settings, version=THIRD, training_cutoff=end, verdict="no_edge")
    versions = Versions(settings)
    assert [*versions.known(NAME)] == [first, SECOND, THIRD, FOURTH]
    assert versions.at(NAME, end, served_then=None) == THIRD  # the one that the gate ranked first
    assert versions.at(NAME, end, served_then=SECOND) == SECOND
    assert versions.at(NAME, end - timedelta(microseconds=1), served_then=THIRD) == first  # its training saw that time
    with pytest.raises(NoModelAt, match="in sample"):
        versions.at(NAME, end - timedelta(days=8), served_then=None)
    (settings.artifacts / "models" / NAME / "20251019T160000Z-0001").mkdir()  # no manifest: no version
    assert versions.at(NAME, end + timedelta(days=9), served_then=None) == THIRD


def test_files_that_were_refused_are_not_judged_again_until_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = home(tmp_path)
    model(settings)
    found = store(settings)
    made = model(settings, version=SECOND)
    raw = spoil(made)
    asked: list[Path] = []
    verify = artifact.load
    monkeypatch.setattr(artifact, "load", lambda path: asked.append(path) or verify(path))
    for _ in range(3):
        found.refresh()
        assert "was altered" in found.refused[NAME]
    assert asked == [made.folder]
    monkeypatch.setattr(refused, "AGAIN_S", 0.0)
    found.refresh()
    assert asked == [made.folder] * 2
    monkeypatch.undo()
    (made.folder / "model.onnx").write_bytes(raw)
    found.refresh()
    assert answering(found) == (SECOND, "champion")


def test_only_the_models_asked_for_last_are_kept_and_a_new_verdict_is_seen(tmp_path: Path) -> None:
    settings = home(tmp_path)
    names = [f"202510{day:02d}T160000Z-0001" for day in range(1, KEPT + 3)]
    made = [model(settings, version=version) for version in names]
    versions = Versions(settings)
    loaded = [versions.get(NAME, version) for version in names]
    assert versions.get(NAME, names[-1]) is loaded[-1]
    assert versions.get(NAME, names[0]) is not loaded[0]
    (made[-1].folder / "verdict.json").unlink()
    assert versions.get(NAME, names[-1]).gate == "unjudged"


def test_what_learned_from_a_replaced_feed_answers_no_more_and_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, end = home(tmp_path), datetime(2025, 10, 15, 16, tzinfo=UTC)
    former = model(settings, feeds={"SPX500_USD": "simulator"}).manifest.version
    found = ModelStore(settings)
    found.refresh({"SPX500_USD": "simulator"})
    assert (answering(found), found.versions.at(NAME, end, served_then=former)) == ((former, "champion"), former)
    monkeypatch.setattr(artifact, "load", lambda path: pytest.fail(f"{path} was read again"))
    for _ in range(2):
        found.refresh({"SPX500_USD": "files"})
        assert not found.models
        assert (
            "a feed of SPX500_USD that another has replaced since; train the model again with `spx train`" in found.refused[NAME]
        )
    monkeypatch.undo()
    with pytest.raises(BadArtifact, match="spx train"):
        found.versions.get(NAME, former)
    with pytest.raises(NoModelAt):
        found.versions.at(NAME, end, served_then=former)
    assert remembered.verified(settings, "champion").read()[NAME].version == former
    spoil(model(settings, version=SECOND, feeds={"SPX500_USD": "files"}))  # nor does it stand in for another, after a restart
    again = ModelStore(settings)
    again.refresh({"SPX500_USD": "files"})
    assert not again.models
    model(settings, version=THIRD, feeds={"SPX500_USD": "files"})
    for store_ in (found, again):
        store_.refresh({"SPX500_USD": "files"})
        assert (answering(store_), store_.refused) == ((THIRD, "champion"), {})
