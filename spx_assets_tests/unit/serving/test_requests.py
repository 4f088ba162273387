"""What else a request may ask for: features of its own, a version, reasons, many answers at once."""

import asyncio
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from serving import matrix
from serving.bodies import read
from serving.contracts import PredictRequest
from serving.problems import (
    BadFeatures,
    BadRequest,
    NeedsSequence,
    NoMedians,
    Problem,
    StaleFeatures,
    UnknownInstrument,
    UnknownModel,
    UnknownVersion,
)
from spx_assets_tests.unit.serving.homes import BAR, FEATURES, home, model, service, vector

SECOND, THIRD = "20251016T160000Z-0001", "20251017T160000Z-0001"
A, B, C = FEATURES
_REQUEST = msgspec.json.Decoder(PredictRequest)


def wanted(**fields: Any) -> PredictRequest:
    """A request as it comes over the wire."""
    return read(json.dumps({"instrument": "SPX500_USD", **fields}).encode(), _REQUEST)


@pytest.mark.parametrize("given", [{C: 3.0, A: 1.0, B: None}, [1.0, None, 3.0]])
def test_features_of_a_caller_are_taken_by_name_or_in_order_and_say_so(tmp_path: Path, given: object) -> None:
    settings = home(tmp_path)
    model(settings)
    answer = service(settings, vector()).predict(wanted(features=given))
    assert answer.expected_return_bp == pytest.approx(1.0 + 0.0 + 9.0, abs=1e-6)
    assert (answer.features_source, answer.feature_age_s, answer.predicted_price) == ("caller", None, None)
    assert answer.timestamp == BAR.replace(hour=16, minute=0)  # where the standing clock is
    assert service(settings, vector()).predict(wanted()).features_source == "online"


@pytest.mark.parametrize(
    ("given", "said", "missing", "unknown"),
    [
        ({A: 1.0, B: 2.0}, f"lacks {C}", [C], None),
        ({A: 1.0, B: 2.0, C: 3.0, "sma": 4.0}, "does not know sma", None, ["sma"]),
        ({"x": 1.0}, "lacks .* and does not know x", [A, B, C], ["x"]),
        ([1.0, 2.0], "has 2 numbers, the model takes 3", None, None),
        ([1.0, [2.0], 3.0], "not both", None, None),
        ([1e300, 1.0, 1.0], f"{A} are too large", None, None),
        ([1.0, None, 1.0], f"takes no null for {B}", [B], None),
        ([3e38, 3e38, 3e38], "no finite forecast", None, None),
    ],
)
def test_features_that_are_not_the_models_are_named(
    tmp_path: Path, given: object, said: str, missing: list[str] | None, unknown: list[str] | None
) -> None:
    settings = home(tmp_path)
    model(settings, required=(B,))
    with pytest.raises(BadFeatures, match=said) as caught:
        service(settings, vector()).predict(wanted(features=given))
    assert (caught.value.missing, caught.value.unknown) == (missing, unknown)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "true", '"1"', "[[1]]", "{}"])
def test_what_is_no_number_is_no_feature(text: str) -> None:
    with pytest.raises(BadRequest):
        read(f'{{"instrument": "SPX500_USD", "features": [{text}, [{text}]]}}'.encode(), _REQUEST)


def test_a_sequence_is_given_row_by_row_and_asked_for_otherwise(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, input_rows=2)
    running = service(settings, vector())
    answer = running.predict(wanted(features=[[1.0, 0.0, 0.0], {A: 0.0, B: 0.0, C: 1.0}]))
    assert answer.expected_return_bp == pytest.approx(1.0 * 1 + 2 * 3.0, abs=1e-6)  # rows count once and twice
    for given in ({A: 1.0, B: 1.0, C: 1.0}, [1.0, 1.0, 1.0], [[1.0, 1.0, 1.0]] * 3):
        with pytest.raises(NeedsSequence, match="looks at 2 row"):
            running.predict(wanted(features=given))


def test_features_of_a_caller_need_no_bar_and_no_open_market(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    late = service(settings, vector(), live=True, now=BAR.replace(hour=18))
    with pytest.raises(StaleFeatures):
        late.predict(wanted())
    assert late.predict(wanted(features=[1.0, 0.0, 0.0])).timestamp == BAR.replace(hour=18)
    saturday = BAR.replace(day=18)
    closed = service(settings, vector(), live=True, now=saturday).predict(wanted(features=[1.0, 0.0, 0.0]))
    assert (closed.timestamp, closed.features_source) == (saturday, "caller")


def test_inputs_of_the_bar_are_told_by_name(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    own = vector()
    own.recent[-1, 4] = np.nan
    answer = service(settings, own).predict(wanted(include_features=True))
    assert answer.features == {A: pytest.approx(0.1), B: None, C: pytest.approx(0.1)}
    assert service(settings, own).predict(wanted()).features is None


def test_reasons_are_what_each_input_adds_to_both_heads_over_its_median(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, medians=(0.1, -1.0, None))
    answer = service(settings, vector()).at_leisure(wanted(include_reasons=True))
    assert answer.reasons is not None
    moved, unmoved = answer.reasons
    up = 1 / (1 + np.exp(-0.6))
    assert (moved.feature, moved.value, moved.median) == (B, pytest.approx(0.1), -1.0)
    assert moved.return_bp == pytest.approx(2.0 * 1.1, abs=1e-5)
    assert moved.probability == pytest.approx(up - 1 / (1 + np.exp(1.6)), abs=1e-6)
    assert (unmoved.feature, unmoved.return_bp, unmoved.probability) == (A, 0.0, 0.0)  # the third has no median


def test_reasons_of_a_sequence_replace_the_input_in_every_row_and_the_five_largest_are_told(tmp_path: Path) -> None:
    settings = home(tmp_path)
    from serving.model_store import INPUTS

    model(settings, features=INPUTS[:7], weights=(1, 2, 3, 4, 5, 6, 7), medians=(0.0,) * 7, input_rows=2)
    answer = service(settings, vector(before_min=(1,))).at_leisure(wanted(include_reasons=True))
    assert answer.reasons is not None
    assert [reason.feature for reason in answer.reasons] == [*reversed(INPUTS[2:7])]
    assert answer.reasons[0].return_bp == pytest.approx(7 * 0.1 * (1 + 2), abs=1e-5)


def test_a_version_trained_without_medians_gives_no_reasons(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    with pytest.raises(NoMedians, match="train it again") as caught:
        service(settings, vector()).at_leisure(wanted(include_reasons=True))
    assert (caught.value.status, caught.value.code) == (409, "no_medians")


def test_any_version_of_the_store_answers_when_it_is_named(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first = model(settings, weights=(2.0, 2.0, 2.0))
    model(settings, version=SECOND)
    running = service(settings, vector())
    answer = running.at_leisure(wanted(model_version=first.manifest.version))
    assert (answer.model_digest, answer.alias) == (first.manifest.digest, "version")
    assert answer.feature_age_s == 0.0
    assert answer.expected_return_bp == pytest.approx(0.6, abs=1e-6)
    assert running.at_leisure(wanted(model_version=SECOND)).alias == "champion"
    for unknown in ("20200101T000000Z-0001", "..", ".", "../spx500_h30/" + SECOND, "current.json"):
        with pytest.raises(UnknownVersion, match=f"the newest are {first.manifest.version}, {SECOND}"):
            running.at_leisure(wanted(model_version=unknown))
    with pytest.raises(UnknownModel):
        running.at_leisure(wanted(model_version=SECOND, model_name=".."))
    shutil.rmtree(first.folder)  # as upkeep does
    with pytest.raises(UnknownVersion, match=f"the newest are {SECOND}"):
        running.at_leisure(wanted(model_version=first.manifest.version))


def test_a_training_that_saw_the_bar_is_said(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    end = made.manifest.training_cutoff  # where the bar ends
    assert service(settings, vector()).predict(wanted()).in_sample is False
    model(settings, version=SECOND, training_cutoff=end.replace(minute=1))
    assert service(settings, vector()).predict(wanted()).in_sample is True


def test_rows_are_scored_as_they_are_one_by_one_and_those_that_lack_an_input_are_left_out(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, required=(B,))
    running = service(settings, vector())
    chosen = running.model("SPX500_USD", horizon=None, name=None, version=None)
    rows = [[1.0, 2.0, 3.0], [1.0, None, 3.0], [None, 1.0, -1.0], [3e38, 3e38, 3e38]]
    listed = matrix.score(chosen, matrix.listed(chosen, rows))
    packed = matrix.score(chosen, matrix.packed(chosen, np.array(rows, dtype="<f4").tobytes()))
    assert listed.bytes() == packed.bytes()
    said = listed.json()
    assert (said.rows, said.interval_level, said.model_digest) == (4, 0.9, chosen.manifest.digest)
    assert said.expected_return_bp == [14.0, None, -1.0, None]
    assert said.interval_low_bp == [1.5, None, -13.5, None]
    for k, row in ((0, rows[0]), (2, rows[2])):
        assert running.predict(wanted(features=row)).probability == said.probability[k]
    values = np.frombuffer(packed.bytes(), "<f4").reshape(4, 4)
    assert values[:, 0].tolist() == pytest.approx([14.0, np.nan, -1.0, np.nan], nan_ok=True)
    assert packed.headers()["x-columns"] == "expected_return_bp,probability,interval_low_bp,interval_high_bp"


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"", "0 bytes, not a multiple of 12"), (b"\0" * 13, "13 bytes"), (b"\0" * 12 * 16_385, "16385 rows, at most 16384")],
)
def test_bytes_that_are_no_rows_are_refused(tmp_path: Path, body: bytes, said: str) -> None:
    settings = home(tmp_path)
    model(settings)
    chosen = service(settings).model("SPX500_USD", horizon=None, name=None, version=None)
    with pytest.raises(BadFeatures, match=said):
        matrix.packed(chosen, body)
    with pytest.raises(BadFeatures, match=f"row 1 has a number in {C}"):
        matrix.score(chosen, matrix.packed(chosen, np.array([[0, 0, 0], [0, np.nan, np.inf]], "<f4").tobytes()))
    with pytest.raises(BadFeatures, match="row 1 has 2 numbers"):
        matrix.listed(chosen, [[1.0, 2.0, 3.0], [1.0, 2.0]])


def test_every_problem_of_a_request_comes_before_it_is_answered_elsewhere(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    running = service(settings, vector())
    asked: list[tuple[PredictRequest, type[Problem]]] = [
        (wanted(instrument="EUR_USD", model_version=SECOND), UnknownInstrument),
        (wanted(instrument="EUR_USD", features=[1.0]), UnknownInstrument),
    ]
    for request, problem in asked:
        with pytest.raises(problem):
            asyncio.run(running.answer(request))


def test_what_is_remembered_of_a_forecast_is_not_taken_for_another_model_of_the_same_files(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    running = service(settings, vector())
    own = running.models.models["spx500_h30"]
    found, levels = vector(), running.levels.levels
    made = running.forecasts.of(own, found, levels)
    assert running.forecasts.of(own, found, levels) is made
    assert running.forecasts.of(dataclasses.replace(own, alias="manual"), found, levels).model.alias == "manual"
