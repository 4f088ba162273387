"""An LSTM and a vote with it, served: what a batch forecast of the last bar says, to the bit."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from serving.model_store import INPUTS
from serving.problems import WarmingUp
from serving.service import Service
from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.labels import forward
from spx_assets.lake import Lake
from spx_assets.scoring import artifact, sequences
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.forecaster import Forecast, Forecaster, vote
from spx_assets.scoring.manifest import Member
from spx_assets.settings import LstmSettings, ModelSettings, Settings
from spx_assets.sources import bindings
from spx_assets.training import dataset, families, learn
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.serving.homes import ask

LAST = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
L = 20
LSTM = ModelSettings(lstm=LstmSettings(sequence=L, hidden=8, max_epochs=1, max_fit_rows=256, threads=1))
HASH = catalog.feature_set_hash(INPUTS)


@pytest.fixture(scope="module")
def graph(traded: tuple[Path, pl.DataFrame]) -> bytes:
    """An LSTM that has seen a little of the five days."""
    home, rows = traded
    lake = Lake.open(homes.settings_of(home), read_only=True)
    candles = lake.read("bronze.candles")
    labels = forward.forward_returns(candles, horizons=(30,), tolerance_min=5, clock=LAST)
    lake.close()
    data = dataset.of(
        rows,
        labels,
        features_in_order=INPUTS,
        horizon_minutes=30,
        instruments=("SPX500_USD",),
        snapshot=0,
        tolerance_min=5,
    )
    fitted = families.get("lstm").fit(data, learn.split(data), learn.weights(data), LSTM)
    return bytes(fitted.export().SerializeToString())


@pytest.fixture
def settings(own_home: Path) -> Iterator[Settings]:
    found = homes.settings_of(own_home)
    yield found
    Lake.open(found, read_only=True).close()


def lstm(settings: Settings, graph: bytes, rows: pl.DataFrame) -> Artifact:
    """The LSTM as a version, its golden rows from the market."""
    described = toy.manifest(
        INPUTS, version="20251015T160000Z-0001", family="lstm", input_rows=L, required=INPUTS[:20], feature_set_hash=HASH
    )
    X = sequences.gather(inputs(rows), np.array([500, 600]), input_rows=L)
    golden = Forecaster(described, graph).golden(X)
    return artifact.write(settings.artifacts, msgspec.structs.replace(described, golden=golden), {"model.onnx": graph})


def ensemble(settings: Settings, first: Artifact, rows: pl.DataFrame) -> Artifact:
    """A vote of the LSTM and a linear model of one bar."""
    other = toy.write(
        settings.artifacts, toy.manifest(INPUTS, version="20251015T160000Z-0002", feature_set_hash=HASH), homes.WEIGHTS, slope=0.1
    )
    described = toy.manifest(
        INPUTS,
        version="20251015T160000Z-0003",
        family="ensemble",
        input_rows=L,
        required=INPUTS[:20],
        feature_set_hash=HASH,
        members=tuple(Member(one.manifest.version, one.manifest.digest, w) for one, w in ((first, 0.7), (other, 0.3))),
    )
    folder = artifact.folder(settings.artifacts, described.name, described.version)
    votes = Forecaster(described, vote(artifact.Artifact(folder, described, None)))
    golden = votes.golden(sequences.gather(inputs(rows), np.array([500, 600]), input_rows=L))
    return artifact.write(settings.artifacts, msgspec.structs.replace(described, golden=golden), {})


def inputs(rows: pl.DataFrame) -> sequences.F32:
    found: sequences.F32 = rows.select(INPUTS).to_numpy().astype(np.float32)
    return found


def batch(made: Artifact, rows: pl.DataFrame) -> Forecast:
    """Forecasts of every bar that has one, all in one call; the last is that of the last bar."""
    forecaster, X = Forecaster.load(made.folder), inputs(rows)
    run = sequences.runs(np.zeros(len(rows), np.int32), rows["ts"].dt.timestamp("us").to_numpy(), tolerance_min=5)
    able = np.flatnonzero(forecaster.forecastable(X, run))
    assert able[-1] == len(rows) - 1
    return forecaster.at(X, able)


def test_a_served_vote_with_a_sequence_is_the_batch_forecast_to_the_bit(
    settings: Settings, graph: bytes, traded: tuple[Path, pl.DataFrame]
) -> None:
    made = ensemble(settings, lstm(settings, graph, traded[1]), traded[1])
    toy.serve(settings.artifacts, made)
    expected = batch(made, traded[1])
    with homes.running(settings.home) as service:
        answer = service.predict().json()
    assert datetime.fromisoformat(answer["timestamp"]) == LAST
    assert answer["model_digest"] == made.manifest.digest
    assert answer["expected_return_bp"] == expected.return_bp[-1]
    assert answer["probability"] == expected.probability_up[-1]
    assert (answer["interval_bp"]["low"], answer["interval_bp"]["high"]) == (
        expected.interval_low_bp[-1],
        expected.interval_high_bp[-1],
    )


def test_early_in_the_day_the_sequence_is_waited_for_and_never_taken_from_the_day_before(
    settings: Settings, graph: bytes, traded: tuple[Path, pl.DataFrame]
) -> None:
    made = lstm(settings, graph, traded[1])
    toy.serve(settings.artifacts, made)
    lake = Lake.open(settings)
    bindings.write(lake, [dataclasses.replace(bindings.feeds(lake)["SPX500_USD"], live=True)])
    lake.close()
    opens = calendar.day_window(calendar.trading_day(LAST))[0]
    first = traded[1].filter(pl.col("ts") >= opens)["ts"]
    for bars in (1, L - 1, L):
        now = first[bars - 1] + timedelta(minutes=1)
        service = Service(settings, now=lambda now=now: now)  # type: ignore[misc]
        service.look()
        assert len(service.vectors.vectors["SPX500_USD"].recent) == bars
        if bars < L:
            with pytest.raises(WarmingUp, match=f"is bar {bars} in a row of its trading day, spx500_h30 looks at {L}"):
                service.predict(ask())
        else:
            known = traded[1].filter(pl.col("ts") < now)
            assert service.predict(ask()).expected_return_bp == batch(made, known).return_bp[-1]
