"""A real, tiny model: a linear ONNX graph with both heads, and an artifact around it.

Belongs here: what tests of scoring and serving load in place of a trained model.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from spx_assets.scoring import artifact, current
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Calibration, GateVerdict, Manifest, Segment


def graph(weights: Sequence[float], *, bias: float = 0.0, slope: float = 1.0, input_rows: int = 1) -> bytes:
    """return_bp = w . x + bias (nulls count as 0), probability_up = sigmoid(slope * return_bp).

    Of a sequence x is the sum of its rows, the first counted once, the second twice, and so on.
    """
    f = len(weights)
    several = [
        helper.make_node("Mul", ["known", "place"], ["placed"]),
        helper.make_node("ReduceSum", ["placed", "rows"], ["x"], keepdims=0),
    ]
    nodes = [
        helper.make_node("IsNaN", ["X"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "X"], ["known"]),
        *(several if input_rows > 1 else [helper.make_node("Identity", ["known"], ["x"])]),
        helper.make_node("MatMul", ["x", "w"], ["dot"]),
        helper.make_node("Add", ["dot", "bias"], ["return_bp"]),
        helper.make_node("Mul", ["return_bp", "slope"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability_up"]),
    ]
    constants = {"w": np.array(weights, np.float32).reshape(f, 1), "bias": [bias], "slope": [slope], "zero": [0.0]}
    place = np.arange(1, input_rows + 1, dtype=np.float32)[:, None]
    shape: list[str | int] = ["n", f] if input_rows == 1 else ["n", input_rows, f]
    made = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in ("return_bp", "probability_up")],
        [
            *(numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()),
            *(
                [numpy_helper.from_array(place, "place"), numpy_helper.from_array(np.array([1]), "rows")]
                if input_rows > 1
                else []
            ),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def manifest(features: Sequence[str] = ("a", "b"), **changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "name": "spx500_h30",
        "version": "20251015T160000Z-0001",
        "family": "lightgbm",
        "asset_key": "models/spx500_h30/lightgbm",
        "partition": date(2025, 10, 12),
        "run_id": "run-1",
        "created_at": datetime(2025, 10, 15, 16, tzinfo=UTC),
        "instruments": ("SPX500_USD",),
        "horizon_minutes": 30,
        "tolerance_min": 5,
        "lookback_days": 3,
        "features": tuple(features),
        "feature_set_hash": "f" * 16,
        "target": "return_bp and direction of the mid",
        "calibration": Calibration(),
        "interval_level": 0.9,
        "conformal_quantiles": {"0.9": (12.5,)},
        "metrics": {"auc": 0.55, "log_loss": 0.68, "log_loss_base": 0.69, "rmse_bp": 9.0, "rmse_zero_bp": 9.1},
        "training_start": datetime(2025, 5, 1, tzinfo=UTC),
        "training_cutoff": datetime(2025, 10, 15, 16, tzinfo=UTC),
        "segments": {"fit": Segment(datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC), 1000)},
        "lake_snapshot": 7,
        "training_hash": "0" * 32,
        "git_commit": "unknown",
        "libraries": {"onnx": onnx.__version__},
    }
    return Manifest(**(values | changes))


def write(artifacts: Path, described: Manifest, weights: Sequence[float], *, bias: float = 0.0, slope: float = 1.0) -> Artifact:
    """Writes a toy artifact with two golden rows, the second one with a null."""
    rows = described.input_rows
    model = graph(weights, bias=bias, slope=slope, input_rows=rows)
    X = np.zeros((2, rows, len(weights)), np.float32)
    X[0], X[1, -1, 0] = 0.5, np.nan
    golden = Forecaster(described, model).golden(X)
    return artifact.write(artifacts, msgspec.structs.replace(described, golden=golden), {"model.onnx": model})


def serve(artifacts: Path, made: Artifact, *, verdict: str = "promoted", return_ok: bool = True) -> None:
    """Judges a toy artifact and makes it the one that is served: champion if promoted, else flagged."""
    ok = verdict == "promoted"
    judged = GateVerdict(
        digest=made.manifest.digest,
        verdict=verdict,  # type: ignore[arg-type]
        reason=verdict,
        direction_ok=ok,
        return_ok=return_ok,
        decided_at=datetime(2025, 10, 15, 17, tzinfo=UTC),
    )
    artifact.write_verdict(made.folder, judged)
    version = made.manifest.version
    current.replace(
        artifacts, made.manifest.name, champion=version if ok else None, challenger=None, flagged=None if ok else version
    )
