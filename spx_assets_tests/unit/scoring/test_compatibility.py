"""One rule for whether today's rows are what a model was trained on."""

from typing import Any

import pytest

from spx_assets.features import catalog
from spx_assets.scoring import compatibility
from spx_assets.settings import Settings
from spx_assets_tests.unit.scoring import toy

NAMES = ("rsi_14", "return_5")


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
        (NAMES, {"sentiment_model": "ProsusAI/finbert"}, "as ProsusAI/finbert scores them, SPX_NEWS__MODEL is embedded"),
    ],
)
def test_a_model_of_other_rows_is_named_with_a_remedy(names: tuple[str, ...], changes: dict[str, Any], said: str) -> None:
    found = objection(names, **changes)
    assert found is not None
    with pytest.raises(ValueError, match=said):
        raise ValueError(found)
    assert "train the model again" in found


def test_changed_kernels_make_old_models_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalog.feature_set_hash(NAMES)
    monkeypatch.setattr(catalog, "code_version", lambda family: f"{family} rewritten")
    assert "other feature definitions than this version's catalog and kernels" in str(objection(feature_set_hash=before))
