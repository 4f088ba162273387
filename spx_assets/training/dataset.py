"""The training set: the model inputs of each bar beside the labels of one horizon, read from the lake at one snapshot.

Belongs here: reading, order, the content hash. Does not: splits, weights, models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.features import inputs as model_inputs
from spx_assets.lake import Lake
from spx_assets.scoring import sequences
from spx_assets.settings import Settings
from spx_assets.sources import bindings
from spx_assets.training.errors import NotEnoughRowsError, UnknownModelError

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

LABEL = ("instrument", "ts", "return_bp", "direction", "label_end")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NULL_ROWS = 4_096
"""Rows looked at together for nulls: 2 MB of 120 inputs."""


@dataclass(frozen=True)
class Dataset:
    """Rows ordered by (instrument, ts), every bar with features; n rows, f features.

    `return_bp` is NaN where the bar has no label, `up` (1 or 0) also on a tie. Times are int64 microseconds, UTC.
    """

    features: tuple[str, ...]
    instruments: tuple[str, ...]
    horizon_minutes: int
    X: F32
    instrument: npt.NDArray[np.int32]
    """Position in `instruments` of each row."""
    ts: I64
    label_end: I64
    return_bp: F64
    up: F64
    snapshot: int
    hash: str
    tolerance_min: int
    """Longest gap inside a label, and inside a sequence."""
    feeds: Mapping[str, str] = field(default_factory=dict)
    """The bindings at the snapshot of those of the instruments that have a feed."""

    @cached_property
    def run(self) -> I64:
        """How many bars up to and including each row follow one another: what sequences are cut from."""
        return sequences.runs(self.instrument, self.ts, tolerance_min=self.tolerance_min)

    def select(self, features: Sequence[str]) -> F32:
        """The history of some features, X itself where they are all of them in the same order."""
        if tuple(features) == self.features:
            return self.X
        return self.X[:, [self.features.index(name) for name in features]]

    def null_share(self, rows: npt.NDArray[np.intp]) -> F64:
        """How large a share of some rows lacks each feature, shape [f]. Rows are walked once for all features: a column at a
        time each would fetch every line of memory again."""
        nulls = np.zeros(len(self.features))
        for start in range(0, len(rows), NULL_ROWS):
            nulls += np.count_nonzero(np.isnan(self.X[rows[start : start + NULL_ROWS]]), axis=0)
        return nulls / len(rows) if len(rows) else np.full(len(self.features), np.nan)

    @property
    def labelled(self) -> npt.NDArray[np.intp]:
        """Numbers of the rows that have a label."""
        return np.flatnonzero(~np.isnan(self.return_bp))

    def instant(self, row: int) -> datetime:
        """Start of the bar in `row`."""
        return instant(int(self.ts[row]))


def instant(us: int) -> datetime:
    """The UTC datetime `us` microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=us)


def forecaster(settings: Settings, name: str) -> tuple[tuple[str, ...], int]:
    """(instruments, horizon in minutes) of the forecaster `name`; UnknownModelError names the known ones."""
    for known, scope, horizon in settings.model_names:
        if known == name:
            return tuple(sorted(settings.models.scopes[scope])), horizon
    raise UnknownModelError(
        f"no forecaster {name!r}; SPX_MODELS__SCOPES and SPX_LABELS__HORIZONS make "
        f"{', '.join(known for known, _, _ in settings.model_names)}"
    )


def inputs(settings: Settings, name: str) -> list[str]:
    """Model inputs of the forecaster `name` in catalog order; UnknownModelError names the families if one is not known."""
    chosen = model_inputs.families(settings, name)
    if unknown := sorted(set(chosen) - set(catalog.FAMILIES)):
        known = ", ".join(catalog.FAMILIES)
        raise UnknownModelError(f"SPX_MODELS__FEATURES gives {name} the feature families {', '.join(unknown)}; there are {known}")
    return [feature.name for feature in catalog.model_inputs() if feature.family in chosen]


def load(
    lake: Lake,
    settings: Settings,
    *,
    name: str,
    week: date,
    snapshot: int | None = None,
    since: datetime | None = None,
    features: Sequence[str] | None = None,
) -> Dataset:
    """The training window of forecaster `name` that ends with `week`, at lake snapshot `snapshot` (default: the newest).

    `since` leaves out rows before it; `features` are other inputs than the forecaster's own. NotEnoughRowsError if the window
    holds no labelled row; SignalsMissingError if news are among the inputs and bars of it have no signals.
    """
    instruments, horizon = forecaster(settings, name)
    at = lake.snapshot() if snapshot is None else snapshot
    first = week - timedelta(weeks=settings.models.training_weeks - 1)
    start, end = calendar.week_window(first)[0], calendar.week_window(week)[1]
    opens = max(start, since or start)
    chosen = inputs(settings, name) if features is None else list(features)
    made = model_inputs.read(
        lambda table, columns: lake.read(table, start=opens, end=end, columns=columns, instruments=instruments, snapshot=at),
        chosen,
    )
    labels = lake.read(
        "gold.labels", start=opens, end=end, columns=[*LABEL, "horizon_minutes"], instruments=instruments, snapshot=at
    ).filter(pl.col("horizon_minutes") == horizon)
    data = of(
        made,
        labels,
        features_in_order=chosen,
        horizon_minutes=horizon,
        instruments=instruments,
        snapshot=at,
        tolerance_min=settings.labels.tolerance_min,
    )
    if not len(data.labelled):
        raise NotEnoughRowsError(
            f"{name}: no labelled row of {', '.join(instruments)} between {start} and {end}; "
            "run `spx backfill gold/market_features gold/labels` for those weeks"
        )
    bound = bindings.in_force(lake, snapshot=at)
    return replace(data, feeds={name: bound[name] for name in instruments if name in bound})


def of(
    features: pl.DataFrame,
    labels: pl.DataFrame,
    *,
    features_in_order: Sequence[str],
    horizon_minutes: int,
    instruments: tuple[str, ...],
    snapshot: int,
    tolerance_min: int,
) -> Dataset:
    """A dataset from model inputs by bar and `gold.labels` of one horizon. Floats go from Arrow to numpy once."""
    joined = features.select("instrument", "ts").join(
        labels.select(LABEL), on=["instrument", "ts"], how="left", maintain_order="left"
    )
    position = {name: k for k, name in enumerate(instruments)}
    codes = joined["instrument"].replace_strict(position, return_dtype=pl.Int32).to_numpy()
    ts = joined["ts"].dt.timestamp("us").to_numpy()
    order = np.lexsort((ts, codes))
    X = np.empty((len(ts), len(features_in_order)), dtype=np.float32)
    for k, name in enumerate(features_in_order):
        X[:, k] = features[name].fill_null(np.nan).to_numpy()
    if not np.array_equal(order, np.arange(len(order))):
        X = X[order]
    life = (horizon_minutes + 1) * 60_000_000
    arrays = {
        "instrument": codes[order],
        "ts": ts[order],
        "label_end": joined["label_end"].dt.timestamp("us").fill_null(0).to_numpy()[order],
        "return_bp": joined["return_bp"].fill_null(np.nan).to_numpy()[order],
        "up": joined["direction"].cast(pl.Float64).fill_null(np.nan).to_numpy()[order],
    }
    arrays["label_end"] = np.where(arrays["label_end"] > 0, arrays["label_end"], arrays["ts"] + life)
    digest = xxhash.xxh3_128("\n".join((*instruments, *features_in_order, str(horizon_minutes))).encode())
    for part in (X, *arrays.values()):
        digest.update(np.ascontiguousarray(part).data)
    return Dataset(
        features=tuple(features_in_order),
        instruments=instruments,
        horizon_minutes=horizon_minutes,
        X=X,
        **arrays,
        snapshot=snapshot,
        hash=digest.hexdigest(),
        tolerance_min=tolerance_min,
        feeds={},
    )
