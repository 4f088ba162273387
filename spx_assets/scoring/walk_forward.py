"""Walk-forward forecasts: every bar of a week forecast by the newest version that was trained before the week began.

Belongs here: which version forecasts which week, who was served when, forecasts of whole weeks. Does not: ONNX calls
(`forecaster`), how they came out (`outcomes`), training, the gate.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import inputs
from spx_assets.lake.model_tables import INTERVAL_LEVELS
from spx_assets.lake.tables import FORECASTS, LABELS, ROW_KEY
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.scoring import artifact, compatibility, levels, sequences
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.sources import bindings, feeds

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

LOG = logging.getLogger(__name__)
KEY = [column.name for column in ROW_KEY]
ONE_WEEK = timedelta(days=7)
"""What the level of a week's intervals looks back on."""


@dataclass(frozen=True)
class History:
    """`models.versions` and `models.promotions` as they stood at one lake snapshot, without versions of replaced feeds."""

    versions: pl.DataFrame
    promotions: pl.DataFrame

    @classmethod
    def read(cls, lake: "Lake", snapshot: int) -> "History":
        told = lake.read("models.versions", snapshot=snapshot), lake.read("models.promotions", snapshot=snapshot)
        former = compatibility.of_former_feeds(told[0], bindings.in_force(lake, snapshot=snapshot))
        return cls(*(rows.filter(~pl.col("version").is_in(former)) for rows in told))

    def chosen(self, week: date) -> pl.DataFrame:
        """One row per (model_name, family): the version with the greatest training cut-off not after the start of `week`."""
        before = self.versions.filter(pl.col("training_cutoff") <= calendar.week_window(week)[0])
        return (
            before.sort("training_cutoff", "version")
            .group_by("model_name", "family", maintain_order=True)
            .last()
            .sort("model_name", "family")
        )

    def serving(self, week: date) -> pl.DataFrame:
        """(model_name, version) of what was served at some moment of `week` by the feed's clock."""
        told = pl.concat([part.select("model_name", "served") for part in self._moves(week)])
        found = told.select("model_name", version="served").drop_nulls().unique().sort("model_name", "version")
        return found.join(self.versions, on=["model_name", "version"], how="semi", maintain_order="left")

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
        at_start, inside = self._moves(week)
        served = pl.concat([at_start.select("model_name", "served"), inside.select("model_name", "served")]).rows()
        when = inside["effective_at"].to_list()
        chosen = self.chosen(week).select("model_name", "family", "version", "digest").rows()
        return hashlib.sha256(repr((chosen, served, when)).encode()).hexdigest()[:32]

    def _moves(self, week: date) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What was served when `week` began, a row a model, and the moves in it."""
        start, end = calendar.week_window(week)
        moves = self.promotions.filter("moves_current", pl.col("effective_at") < end)
        moves = moves.sort("model_name", "effective_at", "decided_at")
        at_start = moves.filter(pl.col("effective_at") <= start).group_by("model_name", maintain_order=True).last()
        return at_start, moves.filter(pl.col("effective_at") > start)


def forecasts(features: Window, signals: Window | None = None, labels: Window | None = None) -> Chunks:
    """Forecasts of the weeks of `features` (gold/market_features), per bar, model and family.

    `signals` are gold/news_signals, read where a version learned from them; without them such a version makes no forecasts.
    A week before the first version, or without bars, has zero rows. Rows that lack a required input are left out.

    Beside them go the levels of the intervals, of these versions and of those that were served: `labels` (gold/labels) tell what
    came of the bars of the week before and of the week's earlier days. Without labels the intervals are those of the nominal
    level.
    """
    return Chunks(_chunks(features, signals, labels))


def fingerprints(lake: "Lake", weeks: Iterable[date], *, snapshot: int) -> dict[date, str]:
    """What the forecasts of each week depend on besides the features: the versions that make them and who was served."""
    history = History.read(lake, snapshot)
    return {week: history.fingerprint(week) for week in weeks}


def _chunks(features: Window, signals: Window | None, labels: Window | None) -> Iterator[Chunk]:
    history = History.read(features.lake, features.snapshot)
    models = _Models(features.lake, news=signals is not None)
    windows = {window.table.name: window for window in (features, signals, labels) if window is not None}
    clocks = feeds.clocks(features.lake, snapshot=features.snapshot)
    for weeks in features.chunks():
        made = [part for week in weeks for part in _week(windows, history, models, week, clocks)]
        frame = pl.concat([FORECASTS.empty(), *(frame for frame, _ in made)]).sort(FORECASTS.key)
        rows = pl.concat([INTERVAL_LEVELS.empty(), *(rows for _, rows in made)]).sort(INTERVAL_LEVELS.key)
        fingerprints = {week: history.fingerprint(week) for week in weeks}
        yield Chunk(weeks, frame, beside={INTERVAL_LEVELS.name: rows}, fingerprints=fingerprints)


def _week(
    windows: Mapping[str, Window], history: History, models: "_Models", week: date, clocks: Mapping[str, datetime]
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """(forecasts, levels) of each version of a week; of one that was only served, no forecasts."""
    chosen = history.chosen(week).select("model_name", "version").rows()
    served = [each for each in history.serving(week).rows() if each not in chosen and models.kept(*each)]
    found = {each: models.get(*each) for each in (*chosen, *served)}
    usable = {each: forecaster for each, forecaster in found.items() if forecaster}
    if not usable:
        return
    needed = list(dict.fromkeys(name for forecaster in usable.values() for name in forecaster.manifest.features))
    instruments = sorted({name for forecaster in usable.values() for name in forecaster.manifest.instruments})
    start, end = calendar.week_window(week)
    before = max(start - ONE_WEEK, *(window.start for window in windows.values()))
    rows = inputs.read(
        lambda table, columns: windows[table].read(before, end, columns=columns, instruments=instruments), needed, key=KEY
    )
    outcomes = _outcomes(windows.get(LABELS.name), before, end, instruments)
    days = {name: _begun(week, clocks.get(name, end)) for name in instruments}
    for each, forecaster in usable.items():
        made, told = _forecast(rows, outcomes, days, forecaster, history, start)
        yield (made if each in chosen else made.clear()), told


def _outcomes(labels: Window | None, start: datetime, end: datetime, instruments: list[str]) -> pl.DataFrame:
    """What came of the bars in [start, end), as far as labels tell."""
    if labels is None:
        return LABELS.empty().select(levels.OUTCOME)
    return labels.read(start, end, columns=levels.OUTCOME, instruments=instruments)


def _begun(week: date, clock: datetime) -> list[date]:
    """Trading days of the week that have begun by the feed's clock: the day that is to come has no level before its time."""
    start, end = calendar.week_window(week)
    days = calendar.trading_days(calendar.trading_day(start), calendar.trading_day(end) - calendar.ONE_DAY)
    return [day for day in days if calendar.day_window(day)[0] <= clock]


def _forecast(
    rows: pl.DataFrame,
    outcomes: pl.DataFrame,
    days: Mapping[str, list[date]],
    forecaster: Forecaster,
    history: History,
    start: datetime,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Forecasts of the bars from `start` on, and the levels that their intervals are picked at."""
    described = forecaster.manifest
    own = rows.filter(pl.col("instrument").is_in(described.instruments))
    X = own.select(described.features).to_numpy().astype(np.float32, copy=False)
    codes = own["instrument"].rle_id().to_numpy().astype(np.int32)
    run = sequences.runs(codes, own["ts"].to_physical().to_numpy(), tolerance_min=described.tolerance_min)
    able = np.flatnonzero(forecaster.forecastable(X, run))
    returns, raw = forecaster.heads_at(X, able)
    regime = forecaster.regime(X[able])
    bars = own[able].select(*KEY, expected_bp=pl.Series(returns), regime=pl.Series(regime))
    wanted = {name: days[name] for name in described.instruments}
    told = levels.rows(described, forecaster.widths, bars, outcomes, wanted)
    new = (bars["ts"] >= start).to_numpy()
    kept = bars.filter(new)
    answer = forecaster.told(returns[new], raw[new], regime[new], asked=levels.asked(kept, told, forecaster.widths))
    served = history.champion_at(described.name, kept["ts"])
    frame = kept.select(
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
    return frame, told


class _Models:
    """Forecasters by version, loaded and verified once a step."""

    def __init__(self, lake: "Lake", *, news: bool) -> None:
        self._settings, self._news = lake.settings, news
        self._loaded: dict[str, Forecaster | None] = {}

    def kept(self, name: str, version: str) -> bool:
        """Whether the version's artifact is still there."""
        return artifact.folder(self._settings.artifacts, name, version).exists()

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
