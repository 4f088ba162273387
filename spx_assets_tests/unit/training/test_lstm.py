"""The LSTM family: it learns what only a sequence tells, the same bits each time, and its graph answers as it does."""

import sys
from functools import cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from spx_assets.scoring import graphs, sequences
from spx_assets.settings import LstmSettings, ModelSettings
from spx_assets.training import export, families, rehearsal, splits
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import MissingLibraryError, NotEnoughRowsError
from spx_assets.training.families.base import Fitted
from spx_assets_tests.unit.training import plain_files

MINUTE = 60_000_000
L = 6
LAG = 3
CHOSEN = LstmSettings(sequence=L, hidden=12, learning_rate=0.01, batch=128, max_epochs=12, max_fit_rows=4_000, threads=1)


@cache
def rows(seed: int = 0, *, n: int = 6_000) -> Dataset:
    """The return follows the first input of three bars before; nothing of the newest bar tells it. A gap every 500 bars.

    The second input is mostly null, the third constant, the fourth always null, the fifth far from zero.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5)).astype(np.float32)
    X[rng.random(n) < 0.7, 1] = np.nan
    X[:, 2], X[:, 3], X[:, 4] = 7.0, np.nan, 4_000 + 20 * X[:, 4]
    y = 5.0 * np.roll(X[:, 0], LAG) + 5.0 * rng.standard_normal(n)
    ts = (np.arange(n, dtype=np.int64) + 10 * (np.arange(n) // 500)) * MINUTE
    return Dataset(
        features=("a", "b", "c", "d", "e"),
        instruments=("SPX500_USD",),
        horizon_minutes=1,
        X=X,
        instrument=np.zeros(n, np.int32),
        ts=ts,
        label_end=ts + 2 * MINUTE,
        return_bp=y,
        up=(y > 0).astype(float),
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def split(data: Dataset) -> splits.Segments:
    return splits.by_time(data.ts, data.label_end, embargo_us=MINUTE)


def fit(**changes: object) -> Fitted:
    data = rows()
    settings = ModelSettings(lstm=CHOSEN.model_copy(update=changes))
    return families.get("lstm").fit(data, split(data), np.full(len(data.ts), 0.5), settings)


@cache
def fitted() -> Fitted:
    return fit()


def asked(data: Dataset, at: np.ndarray) -> np.ndarray:
    return sequences.gather(data.X, at[data.run[at] >= L], input_rows=L)


def test_it_learns_what_only_an_earlier_bar_tells() -> None:
    data = rows()
    at = split(data).out_of_time
    at = at[data.run[at] >= L]
    expected, up = fitted().heads(asked(data, at))
    # Half the variance is the signal's: the best AUC there is is 0.83 and the best correlation 0.71.
    assert roc_auc_score(data.up[at], up) > 0.78
    assert np.corrcoef(expected, data.return_bp[at])[0, 1] > 0.62
    assert np.std(expected) == pytest.approx(5.0, rel=0.3)  # in basis points again


def test_only_rows_with_a_full_sequence_are_learned_from() -> None:
    data = rows()
    told = split(data).fit
    full = int((data.run[told] >= L).sum())
    assert full < len(told)
    assert fit(max_fit_rows=100_000, max_epochs=1).parameters["rows"] == full
    assert fit(max_fit_rows=300, max_epochs=1).parameters["rows"] == 300


def test_no_full_sequence_says_what_to_change() -> None:
    with pytest.raises(NotEnoughRowsError, match=r"fit segment ends a sequence of 501 bars .*SPX_MODELS__LSTM__SEQUENCE"):
        fit(sequence=501)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_data_give_the_same_bits(threads: int) -> None:
    first, again = (fit(threads=threads, max_epochs=2, max_fit_rows=600) for _ in range(2))
    assert first.export().SerializeToString() == again.export().SerializeToString()
    assert first.parameters == again.parameters
    other = fit(threads=threads, max_epochs=2, max_fit_rows=600, seed=8)
    assert other.export().SerializeToString() != first.export().SerializeToString()


def test_a_fit_leaves_the_process_as_it_was() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    before = torch.random.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    fit(max_epochs=1, max_fit_rows=200)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[1:]


def test_it_stops_when_validation_no_longer_gains_and_keeps_the_best_epoch() -> None:
    model = fit(learning_rate=0.1, max_fit_rows=300, max_epochs=40, patience=2)
    assert model.parameters["epochs"] == model.parameters["best_epoch"] + 2
    best = fit(learning_rate=0.1, max_fit_rows=300, max_epochs=int(model.parameters["best_epoch"]), patience=2)
    assert best.export().SerializeToString() == model.export().SerializeToString()


def test_the_graph_answers_as_the_network_on_ten_thousand_sequences_with_nulls_and_outliers() -> None:
    data = rows(1, n=10_400)
    X = asked(data, np.arange(len(data.ts)))[:10_000].copy()
    assert X.shape == (10_000, L, 5)
    X[np.random.default_rng(1).random(X.shape) < 0.3] = np.nan
    X[0], X[1] = np.nan, 1e6
    graph = fitted().export().SerializeToString()
    assert export.check_parity(fitted().heads, graph, X, tolerance=1e-5) < 1e-5


def test_the_graph_is_standard_nodes_and_constants_alone() -> None:
    plain_files.graph(fitted().export())


def test_the_graph_answers_one_sequence_as_it_answers_many() -> None:
    X = asked(rows(), np.arange(400))
    session = graphs.session(fitted().export().SerializeToString())
    for k, whole in enumerate(graphs.heads(session, X)):
        alone = np.concatenate([graphs.heads(session, X[i : i + 1])[k] for i in range(len(X))])
        assert whole.tobytes() == alone.tobytes()


def test_it_tells_its_watch_each_epoch_and_ends_where_the_watch_raises() -> None:
    """What a tuning gives up a trial by; with nobody watching the fit is the same."""
    data = rows()
    settings = ModelSettings(lstm=CHOSEN.model_copy(update={"max_epochs": 3, "max_fit_rows": 1_000}))
    weight = np.full(len(data.ts), 0.5)
    fits = rehearsal.of(families.get("lstm"), data, split(data), weight, settings)
    seen: list[tuple[float, float]] = []

    def watch(learned: float, loss: float) -> None:
        seen.append((learned, loss))

    told = fits.forecasts(settings, split(data).validation, returns=True, watch=watch)
    plain = families.get("lstm").fit(data, split(data), weight, settings)
    assert told[2].tobytes() == plain.heads(asked(data, told[0]))[1].tobytes()
    assert [learned for learned, _ in seen] == [1, 2, 3]
    up = np.where(data.up[told[0]] > 0.5, told[2], 1 - told[2])
    assert min(loss for _, loss in seen) == pytest.approx(-np.log(up).mean(), rel=1e-3)

    def over(learned: float, loss: float) -> None:
        raise StopIteration

    with pytest.raises(StopIteration):
        fits.forecasts(settings, split(data).validation, returns=False, watch=over)


def test_a_home_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "spx_assets.training.families.lstm", raising=False)
    with pytest.raises(MissingLibraryError, match="install the extra `torch`"):
        families.get("lstm")
