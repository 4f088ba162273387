"""Walk-forward forecasts: every bar of a week forecast by the newest version that was trained before the week began.

Belongs here: which version forecasts which week, who was served when, forecasts of whole weeks. Does not: ONNX calls
(`forecaster`), how they came out (`outcomes`), training, the gate.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import inputs
from spx_assets.lake.tables import FORECASTS, ROW_KEY
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.scoring import artifact, compatibility, sequences
from spx_assets.scoring.forecaster import Forecaster

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

LOG = logging.getLogger(__name__)
KEY = [column.name for column in ROW_KEY]


@dataclass(frozen=True)
class History:
    """`models.versions` and `models.promotions` as they stood at one lake snapshot."""

    versions: pl.DataFrame
    promotions: pl.DataFrame

    @classmethod
    def read(cls, lake: "Lake", snapshot: int) -> "History":
        return cls(lake.read("models.versions", snapshot=snapshot), lake.read("models.promotions", snapshot=snapshot))

    def chosen(self, week: date) -> pl.DataFrame:
        """One row per (model_name, family): the version with the greatest training cut-off not after the start of `week`."""
        before = self.versions.filter(pl.col("training_cutoff") <= calendar.week_window(week)[0])
        return (
            before.sort("training_cutoff", "version")
            .group_by("model_name", "family", maintain_order=True)
            .last()
            .sort("model_name", "family")
        )

    def champion_at(self, name: str, ts: pl.Series) -> pl.Series:
        """The version of `name` that was served at each instant of `ts` by the feed's clock; null before the first."""
        moves = (
            self.promotions.filter(pl.col("model_name") == name, pl.col("moves_current"))
            .sort("effective_at", "decided_at")
            .select(ts="effective_at", served="served")
            .unique("ts", keep="last", maintain_order=True)
        )
        return pl.DataFrame({"ts": ts}).with_row_index().sort("ts").join_asof(moves, on="ts").sort("index")["served"]

    def fingerprint(self, week: date) -> str:
        """Changes if and only if other versions would forecast `week`, or another version was served in it."""
        start, end = calendar.week_window(week)
        moves = self.promotions.filter("moves_current", pl.col("effective_at") < end)
        moves = moves.sort("model_name", "effective_at", "decided_at")
        at_start = moves.filter(pl.col("effective_at") <= start).group_by("model_name", maintain_order=True).last()
        inside = moves.filter(pl.col("effective_at") > start)
        served = pl.concat([at_start.select("model_name", "served"), inside.select("model_name", "served")]).rows()
        when = inside["effective_at"].to_list()
        chosen = self.chosen(week).select("model_name", "family", "version", "digest").rows()
        return hashlib.sha256(repr((chosen, served, when)).encode()).hexdigest()[:32]


def forecasts(features: Window, signals: Window | None = None) -> Chunks:
    """Forecasts of the weeks of `features` (gold/market_features), per bar, model and family.

    `signals` are gold/news_signals, read where a version learned from them; without them such a version makes no forecasts.
    A week before the first version, or without bars, has zero rows. Rows that lack a required input are left out.
    """
    return Chunks(_chunks(features, signals))


def fingerprints(lake: "Lake", weeks: Iterable[date], *, snapshot: int) -> dict[date, str]:
    """What the forecasts of each week depend on besides the features: the versions that make them and who was served."""
    history = History.read(lake, snapshot)
    return {week: history.fingerprint(week) for week in weeks}


def _chunks(features: Window, signals: Window | None) -> Iterator[Chunk]:
    history = History.read(features.lake, features.snapshot)
    models = _Models(features.lake, news=signals is not None)
    windows = {window.table.name: window for window in (features, signals) if window is not None}
    for weeks in features.chunks():
        frames = [frame for week in weeks for frame in _week(windows, history, models, week)]
        frame = pl.concat([FORECASTS.empty(), *frames]).sort(FORECASTS.key)
        yield Chunk(weeks, frame, fingerprints={week: history.fingerprint(week) for week in weeks})


def _week(windows: Mapping[str, Window], history: History, models: "_Models", week: date) -> Iterator[pl.DataFrame]:
    chosen = history.chosen(week).select("model_name", "version").rows()
    found = [models.get(name, version) for name, version in chosen]
    usable = [forecaster for forecaster in found if forecaster]
    if not usable:
        return
    needed = list(dict.fromkeys(name for forecaster in usable for name in forecaster.manifest.features))
    instruments = sorted({name for forecaster in usable for name in forecaster.manifest.instruments})
    start, end = calendar.week_window(week)
    rows = inputs.read(
        lambda table, columns: windows[table].read(start, end, columns=columns, instruments=instruments), needed, key=KEY
    )
    for forecaster in usable:
        yield _forecast(rows, forecaster, history)


def _forecast(rows: pl.DataFrame, forecaster: Forecaster, history: History) -> pl.DataFrame:
    described = forecaster.manifest
    own = rows.filter(pl.col("instrument").is_in(described.instruments))
    X = own.select(described.features).to_numpy().astype(np.float32, copy=False)
    codes = own["instrument"].rle_id().to_numpy().astype(np.int32)
    run = sequences.runs(codes, own["ts"].to_physical().to_numpy(), tolerance_min=described.tolerance_min)
    able = np.flatnonzero(forecaster.forecastable(X, run))
    kept, answer = own[able], forecaster.at(X, able)
    served = history.champion_at(described.name, kept["ts"])
    return kept.select(
        *KEY,
        pl.lit(described.name).alias("model_name"),
        pl.lit(described.family).alias("family"),
        pl.lit(described.version).alias("version"),
        pl.lit(described.horizon_minutes, dtype=pl.Int32).alias("horizon_minutes"),
        pl.Series("expected_return_bp", answer.return_bp),
        pl.Series("probability_up", answer.probability_up),
        pl.Series("interval_low_bp", answer.interval_low_bp),
        pl.Series("interval_high_bp", answer.interval_high_bp),
        (served == described.version).fill_null(False).alias("is_champion"),
    )


class _Models:
    """Forecasters by version, loaded and verified once a step."""

    def __init__(self, lake: "Lake", *, news: bool) -> None:
        self._settings, self._news = lake.settings, news
        self._loaded: dict[str, Forecaster | None] = {}

    def get(self, name: str, version: str) -> Forecaster | None:
        """None for a version whose features have been redefined since, or that needs news which no forecaster has any more."""
        if version not in self._loaded:
            forecaster = Forecaster.load(artifact.folder(self._settings.artifacts, name, version))
            objection = compatibility.objection(forecaster.manifest, self._settings)
            if objection is None and not self._news and inputs.of_news(forecaster.manifest.features):
                objection = f"{version} learned from news, which SPX_MODELS__FEATURES gives no forecaster of this home"
            if objection:
                LOG.warning("%s makes no forecasts: %s", name, objection)
            self._loaded[version] = None if objection else forecaster
        return self._loaded[version]
