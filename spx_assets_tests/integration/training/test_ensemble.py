"""The LSTM and the vote through the real lake and artifact store: what `train.train` writes is what is loaded."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from spx_assets.lake import Lake
from spx_assets.lake.tables import VERSIONS
from spx_assets.scoring import artifact
from spx_assets.scoring.errors import ArtifactMissingError
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import EnsembleSettings, LightGBMSettings, LinearSettings, LstmSettings, Settings
from spx_assets.training import dataset, ensemble, reproduce, train
from spx_assets.training.errors import MemberError
from spx_assets_tests.integration.training.conftest import LAST, MODELS, NAME, OLDER, settings_of
from spx_assets_tests.unit.training import plain_files

L = 10
FAMILIES = ("ensemble", "lstm", "lightgbm", "linear")
QUICK = MODELS.model_copy(
    update={
        "families": FAMILIES,
        "features": {NAME: ("returns", "calendar")},
        "lstm": LstmSettings(sequence=L, hidden=4, max_epochs=1, max_fit_rows=500, threads=1),
        "linear": LinearSettings(penalties=(1.0,)),
    }
)


def voting(home: Path) -> Settings:
    return settings_of(home).model_copy(update={"models": QUICK})


def taught(settings: Settings, family: str) -> train.TrainedVersion:
    return train.train(Lake.open(settings), settings, name=NAME, family=family, week=LAST, run_id="run", inputs_hash="inputs")


@pytest.fixture(scope="module")
def polled(traded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, train.TrainedVersion]]:
    """A copy of the home with a version of each member and their vote."""
    home = tmp_path_factory.mktemp("polled") / "home"
    shutil.copytree(traded, home)
    settings = voting(home)
    with pytest.raises(
        MemberError, match="asks for lstm, lightgbm, linear, of which there is no version for the week 2025-10-12"
    ):
        taught(settings, "ensemble")
    assert not Lake.open(settings).read(VERSIONS.name).height
    versions = {family: taught(settings, family) for family in (*FAMILIES[1:], FAMILIES[0])}
    Lake.open(settings).close()
    return home, versions


def test_no_file_of_a_trained_version_is_anything_but_data(polled: tuple[Path, dict[str, train.TrainedVersion]]) -> None:
    """Trees, a linear model, a network and their vote as the store keeps them: no pickle and nothing that could hold one."""
    home, versions = polled
    counts = plain_files.store(voting(home).artifacts)
    assert counts[".onnx"] == len(versions) - 1  # a vote has no graph
    assert counts[".json"] >= 2 * len(versions)  # a manifest and a report each
    assert set(counts) <= {".onnx", ".json", ".msgpack", ".png", ".lock"}


def test_a_vote_is_stored_as_its_members_and_loads_from_the_store(
    polled: tuple[Path, dict[str, train.TrainedVersion]],
) -> None:
    home, versions = polled
    settings = voting(home)
    made = versions["ensemble"]
    described = artifact.load(made.folder).manifest
    assert [(one.version, one.digest) for one in described.members] == [
        (versions[family].version, versions[family].digest) for family in ("lstm", "lightgbm", "linear")
    ]
    weights = [one.weight for one in described.members]
    assert min(weights) > 0.0
    assert sum(weights) == pytest.approx(1.0, abs=2e-6)
    assert weights == [described.parameters[f"weight_{family}"] for family in ("lstm", "lightgbm", "linear")]
    assert described.input_rows == L
    assert "model.onnx" not in described.files
    assert artifact.load(versions["lstm"].folder).manifest.libraries["torch"].startswith("2.")

    data = dataset.load(Lake.open(settings), settings, name=NAME, week=LAST)
    voters = {family: Forecaster.load(version.folder) for family, version in versions.items()}
    able = {family: one.forecastable(data.X, data.run) for family, one in voters.items()}
    assert (able["ensemble"] == able["lstm"] & able["lightgbm"] & able["linear"]).all()
    rows = np.flatnonzero(able["ensemble"])[-500:]
    members = [voters[family].at(data.X, rows) for family in ("lstm", "lightgbm", "linear")]
    raw_bp, raw_up = voters["ensemble"].heads_at(data.X, rows)
    assert raw_bp == pytest.approx(sum(w * m.return_bp for w, m in zip(weights, members, strict=True)))
    assert raw_up == pytest.approx(sum(w * m.probability_up for w, m in zip(weights, members, strict=True)))

    every = Lake.open(settings).read(VERSIONS.name)
    stored = every.filter(pl.col("family") == "ensemble")
    # The vote is ranked on the rows of its sequences, beside the base rate of those.
    base = dict(every.select("family", "log_loss_calibration_base").rows())
    assert base["ensemble"] == base["lstm"] != base["linear"]
    assert all(0.68 < value < 0.72 for value in base.values())
    assert stored["digest"].to_list() == [described.digest]
    # The out-of-time day's first 9 bars have no full sequence.
    assert 0.9 < stored["coverage"][0] < 1.0
    Lake.open(settings).close()


def test_a_vote_and_its_members_are_made_again_to_the_bit_under_other_settings(
    polled: tuple[Path, dict[str, train.TrainedVersion]],
) -> None:
    """A network, trees, a linear model whose penalties are others by now, and weights that are fitted again."""
    home, versions = polled
    others = QUICK.model_copy(
        update={
            "lightgbm": LightGBMSettings(num_leaves=31, threads=1),
            "linear": LinearSettings(penalties=(0.1, 100.0)),
            "lstm": LstmSettings(hidden=8, threads=1),
            "ensemble": EnsembleSettings(weights="seeds", shrinkage=1.0),
        }
    )
    settings = voting(home).model_copy(update={"models": others})
    made = reproduce.with_members(Lake.open(settings), settings, versions["ensemble"].version)
    assert [one.version for one in made] == [versions[family].version for family in ("lstm", "lightgbm", "linear", "ensemble")]
    assert [(one.exact, one.graph_identical) for one in made] == [(True, True)] * 4
    assert made[-1].rows == made[0].rows > 1_000
    Lake.open(settings).close()


def test_fixed_weights_are_read_back_from_a_manifest(polled: tuple[Path, dict[str, train.TrainedVersion]]) -> None:
    described = artifact.load(polled[1]["ensemble"].folder).manifest
    fixed = msgspec.structs.replace(
        described, parameters={"weights": "fixed", "shrinkage": 10.0, "weight_lstm": 0.25, "weight_linear": 0.75}
    )
    again = reproduce.as_trained(voting(polled[0]), fixed).models
    assert (again.ensemble.fixed, again.voters) == ({"lstm": 0.25, "linear": 0.75}, ("lstm", "linear"))


def test_a_vote_is_made_of_the_versions_it_is_given(polled: tuple[Path, dict[str, train.TrainedVersion]]) -> None:
    settings = voting(polled[0])
    found = ensemble.candidates(settings, name=NAME, week=LAST)
    assert [one.manifest.family for one in found] == ["lstm", "lightgbm", "linear"]
    with pytest.raises(MemberError, match="no version for the week 2025-09-28"):
        ensemble.candidates(settings, name=NAME, week=OLDER)
    Lake.open(settings).close()


def test_a_vote_whose_member_is_gone_is_not_loaded(polled: tuple[Path, dict[str, train.TrainedVersion]], tmp_path: Path) -> None:
    store = tmp_path / NAME
    shutil.copytree(polled[1]["ensemble"].folder.parent, store)
    shutil.rmtree(store / polled[1]["linear"].version)
    with pytest.raises(ArtifactMissingError, match=polled[1]["linear"].version):
        Forecaster.load(store / polled[1]["ensemble"].version)
