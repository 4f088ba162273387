"""Training: LightGBM through the lake at the size of the real S&P 500 series, and all single-row families at five years' size."""

import time

import numpy as np

from spx_assets.lake import Lake
from spx_assets.scoring import graphs
from spx_assets.settings import ModelSettings, SimulatorSettings, load
from spx_assets.training import export, families, splits, train, uniqueness
from spx_assets.training.dataset import Dataset
from spx_assets_tests.benchmarks.graph import bound, execute
from spx_assets_tests.benchmarks.line import Line, peak_rss_gib, spent

# 335 trading days of the simulator: 460 thousand bars.
DAYS = 335
ROWS, FEATURES, HORIZON = 1_200_000, 120, 30
MINUTE = 60_000_000
DEFAULT = ("lightgbm", "xgboost", "linear")
BOOSTED = ("lightgbm", "xgboost")


def run() -> list[Line]:
    settings = load().model_copy(update={"simulator": SimulatorSettings(days=DAYS)})
    weeks = bound(settings)
    execute(settings, weeks[0], weeks[-1])
    lake = Lake.open(settings)
    rows = lake.count("gold.market_features")
    with spent() as used:
        train.train(lake, settings, name="spx500_h30", family="lightgbm", week=weeks[-1], run_id="bench")
    return [Line(f"LightGBM, both heads, {rows:,} rows, judged and exported", used.wall_s, 90.0, "s")]


def five_years() -> list[Line]:
    """The default families without tuning, and how fast their graphs answer.

    Rows are made up: filling a lake with 1.2 million takes minutes, and `pipeline` and `graph` measure it. A weak edge and
    heavy tails keep the boosters at work for about as many rounds as real rows do.
    """
    data, settings = synthetic(), ModelSettings()
    segments = splits.by_time(data.ts, data.label_end, embargo_us=HORIZON * MINUTE)
    weight = uniqueness.average(data.ts, data.label_end)
    with spent() as used:
        fitted = {name: families.get(name).fit(data, segments, weight, settings) for name in DEFAULT}
        models = {name: model.export().SerializeToString() for name, model in fitted.items()}
        for name, model in fitted.items():
            export.check_parity(model.heads, models[name], data.X[segments.out_of_time], tolerance=settings.gate.parity)
    lines = [
        Line(f"{', '.join(DEFAULT)}: both heads, {ROWS:,} rows x {FEATURES}, exported", used.wall_s, 300.0, "s"),
        Line("its peak memory", peak_rss_gib(), 6.0, "GiB"),
    ]
    with spent() as used:
        forest = families.get("random_forest").fit(data, segments, weight, settings)
    models["random_forest"] = forest.export().SerializeToString()
    lines.append(Line("random_forest: the same", used.wall_s, 300.0, "s"))
    lines += [
        Line(f"{name}: ONNX, batches on two threads", rate(models[name], data), 200_000, "rows/s", True) for name in BOOSTED
    ]
    return lines + [Line(f"{name}: ONNX, one row", latency_ms(model, data), 1.0, "ms") for name, model in models.items()]


def synthetic() -> Dataset:
    """Independent normal features, every sixth null for a tenth of the rows; two of them tell 0.1 % of the variance."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((ROWS, FEATURES), dtype=np.float32)
    told = 0.1 * (X[:, 1] - np.abs(X[:, 2])) + 3.0 * rng.standard_t(4, ROWS)
    for k in range(0, FEATURES, 6):
        X[rng.random(ROWS) < 0.1, k] = np.nan
    ts = np.arange(ROWS, dtype=np.int64) * MINUTE
    return Dataset(
        features=tuple(f"feature_{k}" for k in range(FEATURES)),
        instruments=("SPX500_USD",),
        horizon_minutes=HORIZON,
        X=X,
        instrument=np.zeros(ROWS, np.int32),
        ts=ts,
        label_end=ts + (HORIZON + 1) * MINUTE,
        return_bp=told,
        up=(told > 0).astype(np.float64),
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def rate(model: bytes, data: Dataset) -> float:
    """Rows a second over 400,000 rows, once warm."""
    session, rows = graphs.session(model, threads=2), data.X[:400_000]
    graphs.heads(session, rows[: graphs.BATCH])
    with spent() as used:
        graphs.heads(session, rows)
    return len(rows) / used.wall_s


def latency_ms(model: bytes, data: Dataset) -> float:
    """Median of 2,000 single rows on one thread."""
    session, taken = graphs.session(model), []
    for i in range(2_000):
        began = time.perf_counter()
        graphs.heads(session, data.X[i : i + 1])
        taken.append(time.perf_counter() - began)
    return 1e3 * float(np.median(taken))
