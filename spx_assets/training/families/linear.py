"""Linear: ridge regression for the return, L2-penalised logistic regression for the direction.

Belongs here: standardising, fitting, the graph. Does not: targets (`targets`), evaluation.

What AR and ARIMAX models of forward returns become here. The AR part: the inputs hold the returns over 1, 5, 10, 30 ... 360
minutes up to the bar, so an autoregression whose coefficients are constant between those lags is nested; an AR(1) on the last
known label stands beside every model as a baseline. The X part: all other inputs. The I part: the target is a return, a
difference already. There is no MA part: residuals of overlapping 30-minute labels are correlated by construction, are not
known until the horizon has passed, and would make a forecast depend on earlier forecasts.

Each input is cut at quantiles of the fit segment, standardised with its mean and deviation there, and 0 where it is null. The
graph holds all of it. Rows pass in chunks: 65,536 x 120 float64 = 63 MB instead of 1 GB, and sums in one order.

A trial of a tuning is never given up within a fit: the return has a closed form and the direction converges in a handful of
passes for all penalties at once, of which no coefficient is an answer before the last. Folds, where they are the objective, are
told one by one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper
from scipy.special import expit
from threadpoolctl import threadpool_limits

from spx_assets.settings import LinearSettings, ModelSettings
from spx_assets.training import export
from spx_assets.training.dataset import Dataset
from spx_assets.training.families import targets
from spx_assets.training.families.targets import Target
from spx_assets.training.splits import Rows, Segments

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

CHUNK = 65_536


@dataclass(frozen=True)
class Scaling:
    """How an input becomes a standardised one, float32[f] each, as the graph holds them."""

    low: F32
    high: F32
    mean: F32
    """Of the cut values; also what a null is replaced by, so that it is 0 in the end."""
    inverse: F32
    """1 / standard deviation of the cut values; 0 for an input that is constant or always null."""

    def apply(self, X: F32) -> F64:
        """Standardised inputs, and 1 in a last column for the intercept."""
        Z = np.ones((X.shape[0], X.shape[1] + 1))
        inner = Z[:, :-1]
        np.clip(X, self.low, self.high, out=inner)
        inner -= self.mean
        inner *= self.inverse
        np.copyto(inner, 0.0, where=np.isnan(inner))
        return Z


@dataclass(frozen=True)
class FittedLinear:
    """Coefficients of both heads on standardised inputs, the intercept last."""

    scaling: Scaling
    returns: F64
    direction: F64
    parameters: Mapping[str, str | int | float | bool]
    input_rows: int = field(default=1, init=False)

    def heads(self, X: F32) -> tuple[F64, F64]:
        """(return_bp, raw probability_up) of X [n, f], in float64."""
        told = [self.scaling.apply(X[i : i + CHUNK]) @ self._coefficients for i in range(0, len(X), CHUNK)]
        sums = np.concatenate([np.empty((0, 2)), *told])
        return sums[:, 0], expit(sums[:, 1])

    def export(self) -> onnx.ModelProto:
        """The whole transformation as one graph.

        Its sums are of double precision, as the native ones: of 143 inputs and ten days the coefficients of inputs that go
        together are large and opposed, and in single precision an answer was off by 1.4e-5 of itself.
        """
        nodes = [
            helper.make_node("IsNaN", ["X"], ["null"]),
            helper.make_node("Where", ["null", "mean", "X"], ["known"]),
            helper.make_node("Max", ["known", "low"], ["above"]),
            helper.make_node("Min", ["above", "high"], ["cut"]),
            helper.make_node("Cast", ["cut"], ["exact"], to=onnx.TensorProto.DOUBLE),
            helper.make_node("Sub", ["exact", "centre"], ["centred"]),
            helper.make_node("Mul", ["centred", "inverse"], ["standardised"]),
            helper.make_node("Gemm", ["standardised", "coefficients", "intercepts"], ["exact_sums"]),
            helper.make_node("Cast", ["exact_sums"], ["sums"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Split", ["sums"], ["value", "log_odds"], axis=1),
            helper.make_node("Sigmoid", ["log_odds"], ["up"]),
            helper.make_node("Squeeze", ["value", "axis"], ["return_bp"]),
            helper.make_node("Squeeze", ["up", "axis"], ["probability_up"]),
        ]
        constants: dict[str, export.Constant] = {
            "mean": self.scaling.mean,
            "low": self.scaling.low,
            "high": self.scaling.high,
            "centre": self.scaling.mean.astype(np.float64),
            "inverse": self.scaling.inverse.astype(np.float64),
            "coefficients": self._coefficients[:-1],
            "intercepts": self._coefficients[-1],
            "axis": np.array([1], dtype=np.int64),
        }
        return export.model(nodes, features=len(self.scaling.mean), constants=constants)

    @property
    def _coefficients(self) -> F64:
        return np.column_stack([self.returns, self.direction])


class Linear:
    name = "linear"

    def fit(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> FittedLinear:
        """Both heads for every penalty, of which the validation segment chooses one a head."""
        chosen = settings.linear
        value = targets.returns(data, segments, weight, clip=chosen.target_clip)
        told = targets.direction(data, weight)
        # One thread: how BLAS parts a sum among threads decides its last bits.
        with threadpool_limits(limits=1, user_api="blas"):
            seen = _Seen(data.X, scaled(data.X, segments.fit, winsor=chosen.winsor))
            gram, cross = seen.moments(value, segments.fit)
            ridge = np.column_stack([_solve(gram, cross, penalty) for penalty in chosen.penalties])
            logistic, passes = _logistic(seen, told, segments.fit, chosen)
            of_return = int(np.argmin(seen.squared_losses(ridge, value, segments.validation)))
            of_direction = int(np.argmin(seen.log_losses(logistic, told, segments.validation)))
        return FittedLinear(
            seen.scaling,
            ridge[:, of_return],
            logistic[:, of_direction],
            {
                **chosen.model_dump(exclude={"penalties"}),
                # All of them: how far each coefficient converges depends on the others', which pass over the rows together.
                "penalties": json.dumps(chosen.penalties),
                "penalty_return": chosen.penalties[of_return],
                "penalty_direction": chosen.penalties[of_direction],
                "passes": passes,
            },
        )


def scaled(X: F32, rows: Rows, *, winsor: float) -> Scaling:
    """The scaling of inputs by their values in `rows`, a feature at a time."""
    low, high, mean, inverse = (np.zeros(X.shape[1], dtype=np.float32) for _ in range(4))
    for k in range(X.shape[1]):
        values = X[rows, k]
        known = values[~np.isnan(values)]
        if not len(known):
            continue
        low[k], high[k] = np.quantile(known, [winsor, 1.0 - winsor], method="nearest")
        cut = np.clip(known, low[k], high[k]).astype(np.float64)
        mean[k] = np.clip(np.float32(cut.mean()), low[k], high[k])
        if low[k] < high[k]:
            inverse[k] = 1.0 / cut.std()
    return Scaling(low, high, mean, inverse)


@dataclass(frozen=True)
class _Seen:
    """Rows of X through their scaling, a chunk at a time. Means are weighted; [f + 1, k] holds k candidates' coefficients."""

    X: F32
    scaling: Scaling

    def chunks(self, target: Target, rows: Rows) -> Iterator[tuple[F64, F64, F64]]:
        """(standardised inputs, target, weight) of consecutive rows; the weights sum to 1 over all chunks."""
        values, weight = target.of(rows)
        weight /= len(rows)
        for i in range(0, len(rows), CHUNK):
            part = slice(i, i + CHUNK)
            yield self.scaling.apply(self.X[rows[part]]), values[part], weight[part]

    def moments(self, target: Target, rows: Rows) -> tuple[F64, F64]:
        """Z'WZ [f + 1, f + 1] and Z'Wy [f + 1]."""
        width = self.X.shape[1] + 1
        gram, cross = np.zeros((width, width)), np.zeros(width)
        for Z, y, w in self.chunks(target, rows):
            cross += Z.T @ (w * y)
            Z *= np.sqrt(w)[:, None]
            gram += Z.T @ Z
        return gram, cross

    def gradients(self, coefficients: F64, target: Target, rows: Rows) -> F64:
        """Of the mean log loss at each candidate, [f + 1, k]."""
        total = np.zeros_like(coefficients)
        for Z, y, w in self.chunks(target, rows):
            total += Z.T @ (w[:, None] * (expit(Z @ coefficients) - y[:, None]))
        return total

    def squared_losses(self, coefficients: F64, target: Target, rows: Rows) -> F64:
        """Mean squared error of each candidate."""
        total = np.zeros(coefficients.shape[1])
        for Z, y, w in self.chunks(target, rows):
            total += w @ np.square(Z @ coefficients - y[:, None])
        return total

    def log_losses(self, coefficients: F64, target: Target, rows: Rows) -> F64:
        """Mean log loss of each candidate."""
        total = np.zeros(coefficients.shape[1])
        for Z, y, w in self.chunks(target, rows):
            z = Z @ coefficients
            total += w @ (np.logaddexp(0.0, z) - y[:, None] * z)
        return total


def _penalised(matrix: F64, penalty: float) -> F64:
    """`matrix` with the penalty on its diagonal, but for the intercept."""
    penalised: F64 = matrix + penalty * np.diag(np.append(np.ones(len(matrix) - 1), 0.0))
    return penalised


def _solve(gram: F64, cross: F64, penalty: float) -> F64:
    return np.asarray(np.linalg.solve(_penalised(gram, penalty), cross), dtype=np.float64)


def _logistic(seen: _Seen, target: Target, rows: Rows, chosen: LinearSettings) -> tuple[F64, int]:
    """(coefficients [f + 1, k] of the penalised logistic regression at each penalty, passes taken).

    Steps with the fixed bound Z'WZ / 4 of the second derivatives (Boehning and Lindsay 1988): each lowers the loss, and at
    probabilities near a half, where the bound is nearly exact, a handful reach the tolerance. One pass over the rows serves
    all penalties, where Newton's method would need a Z'WZ of its own for each.
    """
    penalties = np.array(chosen.penalties)
    gram, _ = seen.moments(target, rows)
    inverses = [np.linalg.inv(_penalised(gram / 4.0, penalty)) for penalty in penalties]
    free = np.append(np.ones(len(gram) - 1), 0.0)
    coefficients: F64 = np.zeros((len(gram), len(penalties)))
    for done in range(1, chosen.max_passes + 1):
        slope = seen.gradients(coefficients, target, rows) + free[:, None] * coefficients * penalties
        step = np.column_stack([inverse @ slope[:, k] for k, inverse in enumerate(inverses)])
        coefficients -= step
        if np.max(np.abs(step)) <= chosen.tolerance:
            return coefficients, done
    return coefficients, chosen.max_passes


FAMILY = Linear()
