"""One rule for whether today's rows are what a model was trained on."""

from pathlib import Path
from typing import Any

import pytest

from spx_assets.features import catalog
from spx_assets.lake.tables import VERSIONS
from spx_assets.news import model_version
from spx_assets.scoring import compatibility
from spx_assets.settings import NewsSettings, Settings
from spx_assets.training import provenance, versions
from spx_assets_tests.unit.scoring import toy

NAMES = ("rsi_14", "return_5")
PARTS = ("fit", "calibration", "out_of_time")


def objection(names: tuple[str, ...] = NAMES, **changes: Any) -> str | None:
    described = toy.manifest(names, **({"feature_set_hash": catalog.feature_set_hash(NAMES)} | changes))
    return compatibility.objection(described, Settings())


def test_a_model_of_todays_features_is_taken() -> None:
    assert objection() is None


@pytest.mark.parametrize(
    ("names", "changes", "said"),
    [
        ((*NAMES, "gone"), {}, r"features \['gone'\] that are not in"),
        (NAMES[::-1], {}, "other feature definitions"),
        (NAMES, {"feature_set_hash": "0" * 16}, "other feature definitions"),
        (NAMES, {"lookback_days": 5}, "look-back of 5 trading days, SPX_LOOKBACK_DAYS is 3"),
        (NAMES, {"sentiment_model": "ProsusAI/finbert"}, "as ProsusAI/finbert scores them, .* are embedded@"),
        (NAMES, {"sentiment_model": "embedded@0123456789abcdef"}, "as embedded@0123456789abcdef scores them, .* are embedded@"),
    ],
)
def test_a_model_of_other_rows_is_named_with_a_remedy(names: tuple[str, ...], changes: dict[str, Any], said: str) -> None:
    found = objection(names, **changes)
    assert found is not None
    with pytest.raises(ValueError, match=said):
        raise ValueError(found)
    assert "train the model again" in found


def test_another_precision_of_the_same_sentiment_model_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    exact = NewsSettings(model=str(tmp_path), precision="float32")
    taught = {"feature_set_hash": catalog.feature_set_hash(NAMES), "sentiment_model": model_version.version(exact)}
    manifest = toy.manifest(NAMES, **taught)
    assert compatibility.objection(manifest, Settings(news=exact)) is None
    assert "/bf16; set them back" in str(compatibility.objection(manifest, Settings(news=NewsSettings(model=str(tmp_path)))))


def test_changed_kernels_make_old_models_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalog.feature_set_hash(NAMES)
    monkeypatch.setattr(catalog, "code_version", lambda family: f"{family} rewritten")
    assert "other feature definitions than this version's catalog and kernels" in str(objection(feature_set_hash=before))


@pytest.mark.parametrize(
    ("feeds", "bound", "stands"),
    [
        ({"A": "1", "B": "2"}, {"A": "1", "B": "2", "C": "9"}, True),
        ({"A": "1", "B": "2"}, {"A": "1", "B": "3"}, False),
        ({"B": "2"}, {"A": "1", "B": "3"}, False),
        ({"A": "1", "B": "2"}, {}, True),
        ({}, {"A": "1", "B": "2"}, True),
    ],
)
def test_a_version_counts_while_its_instruments_are_bound_as_when_it_learned(
    feeds: dict[str, str], bound: dict[str, str], stands: bool
) -> None:
    manifest = toy.manifest(
        NAMES, instruments=("A", "B"), feeds=feeds, segments=dict.fromkeys(PARTS, toy.manifest().segments["fit"])
    )
    found = compatibility.rebound(manifest.version, manifest.feeds, bound)
    assert (found is None) is stands
    assert found is None or found.endswith("of B that another has replaced since; train the model again with `spx train`")
    rows = versions.frame(VERSIONS, [provenance.row(manifest)])
    assert compatibility.of_former_feeds(rows, bound) == ([] if stands else [manifest.version])
