"""The artifact store: a version is whole, verified, or refused with a typed error that says what to do."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from spx_assets.scoring import artifact
from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactError, ArtifactForeignError, ArtifactMissingError
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import ARTIFACT_SCHEMA, GateVerdict, finite
from spx_assets_tests.unit.scoring import toy


def test_an_artifact_reads_back_as_it_was_written(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0], bias=0.25)
    read = artifact.load(tmp_path / "models" / "spx500_h30" / "20251015T160000Z-0001")
    assert read.manifest == made.manifest
    assert read.manifest.files == {"model.onnx": hashlib.sha256(read.model).hexdigest()}
    assert len(read.manifest.digest) == 64
    assert read.manifest.golden[0].inputs == (0.5, 0.5)
    assert read.manifest.golden[0].return_bp == 1.75
    assert read.manifest.golden[0].interval_low_bp == 1.75 - 12.5
    assert read.manifest.golden[1].inputs == (None, 0.0)
    assert read.manifest.golden[1].return_bp == 0.25
    assert read.verdict is None


def test_the_folder_holds_only_the_files_of_the_contract_and_no_pickle(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    assert sorted(path.name for path in made.folder.iterdir()) == ["manifest.json", "model.onnx"]
    assert [path.name for path in made.folder.parent.iterdir()] == [made.folder.name]


def test_a_version_is_written_once(tmp_path: Path) -> None:
    toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    with pytest.raises(ArtifactError, match="written once"):
        toy.write(tmp_path, toy.manifest(), [1.0, 2.0])


@pytest.mark.parametrize("keep", [0, 10, -1])
def test_a_truncated_model_is_refused(tmp_path: Path, keep: int) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    model = made.folder / "model.onnx"
    model.write_bytes(model.read_bytes()[:keep])
    with pytest.raises(ArtifactAlteredError, match=r"model\.onnx was altered"):
        artifact.load(made.folder)


def test_one_changed_bit_of_the_model_is_refused(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    raw = bytearray(made.model)
    raw[-5] ^= 1
    (made.folder / "model.onnx").write_bytes(bytes(raw))
    with pytest.raises(ArtifactAlteredError, match="restore it or train again"):
        Forecaster.load(made.folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    (made.folder / "model.onnx").unlink()
    with pytest.raises(ArtifactMissingError, match=r"model\.onnx is missing"):
        artifact.load(made.folder)
    with pytest.raises(ArtifactMissingError, match=r"manifest\.json is missing"):
        artifact.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("field", "value"), [("horizon_minutes", 60), ("calibration", {"kind": "platt", "a": -1.0}), ("features", ["b", "a"])]
)
def test_a_changed_manifest_is_refused(tmp_path: Path, field: str, value: object) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    path = made.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}, indent=1))
    with pytest.raises(ArtifactAlteredError, match="was altered"):
        artifact.load(made.folder)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\x80\x04pickle", f'{{"schema": {ARTIFACT_SCHEMA}}}'.encode()])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, raw: bytes) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    (made.folder / "manifest.json").write_bytes(raw)
    with pytest.raises(ArtifactAlteredError, match="not a readable manifest"):
        artifact.load(made.folder)


def test_another_schema_is_foreign(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    (made.folder / "manifest.json").write_text('{"schema": 1}')
    with pytest.raises(ArtifactForeignError, match=f"has schema 1, this version reads {ARTIFACT_SCHEMA}"):
        artifact.load(made.folder)


def test_an_artifact_in_the_folder_of_another_is_foreign(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    moved = made.folder.rename(made.folder.with_name("20990101T000000Z-0001"))
    with pytest.raises(ArtifactForeignError, match="holds spx500_h30/20251015T160000Z-0001"):
        artifact.load(moved)


def test_a_verdict_stands_beside_the_digest_it_judged(tmp_path: Path) -> None:
    made = toy.write(tmp_path, toy.manifest(), [1.0, 2.0])
    verdict = GateVerdict(
        digest=made.manifest.digest,
        verdict="no_edge",
        reason="p 0.4",
        direction_ok=False,
        return_ok=False,
        decided_at=datetime(2025, 10, 16, tzinfo=UTC),
    )
    artifact.write_verdict(made.folder, verdict)
    judged = artifact.load(made.folder)
    assert judged.verdict == verdict
    assert judged.manifest.digest == made.manifest.digest
    artifact.write_verdict(made.folder, msgspec.structs.replace(verdict, digest="0" * 64))
    with pytest.raises(ArtifactForeignError, match="run the gate again"):
        artifact.load(made.folder)


def test_nan_metrics_are_null() -> None:
    assert finite({"auc": 0.5, "ic": float("nan"), "p": float("inf"), "x": None}) == {
        "auc": 0.5,
        "ic": None,
        "p": None,
        "x": None,
    }
