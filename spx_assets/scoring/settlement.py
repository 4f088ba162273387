"""What came of the forecasts that were answered: from `serving.predictions` and bars to `serving.outcomes`.

Belongs here: which forecasts can be judged by now, the verdicts, writing them once. Does not: the label rule (`labels.forward`),
recording answers (`serving.ledger`), when it runs (`automation`).

The realised return is the label of the forecast's bar by the rule of training. A forecast is judged when the bars that its label
could use are known: official ones up to its horizon's end; before those have come, bars of the live stream if they give a return.
What gives none by official bars never will, and is marked with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.calendar import ONE_MINUTE
from spx_assets.labels.forward import forward_returns
from spx_assets.lake.errors import ContractError
from spx_assets.lake.live_tables import CANDLES_LIVE
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS
from spx_assets.lake.tables import CANDLES

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

SETTLED, CROSSES, GAP, NO_BAR = "settled", "crosses_close", "gap", "no_bar"
BAR_COLUMNS = ("instrument", "ts", "open", "close")
_KEY = list(OUTCOMES.key)
_PENDING = """SELECT DISTINCT instrument, ts, horizon_minutes, model_digest, prediction, tolerance_min
    FROM serving.predictions ANTI JOIN serving.outcomes USING (instrument, ts, horizon_minutes, model_digest, prediction)
    WHERE features_source IN ('online', 'lake') AND NOT in_sample"""


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What one round did: verdicts by status, and how many forecasts wait for their bars."""

    verdicts: dict[str, int]
    waiting: int


def judge(forecasts: pl.DataFrame, bars: pl.DataFrame, *, known: datetime | None, table: str) -> pl.DataFrame:
    """Verdicts on those forecasts of one instrument that can be judged, in the columns of `serving.outcomes` up to `bars`.

    `forecasts`: the key of `serving.outcomes` and tolerance_min. `bars`: instrument, ts, open, close in order. No bar that
    starts at or before `known` is still to come.
    """
    crossing = forecasts.filter(_crosses())
    verdicts = [_verdicts(crossing, CROSSES)]
    if known is not None:
        ended = forecasts.filter(~_crosses() & (_horizon_end() <= known))
        days = bars.with_columns(trading_day=calendar.trading_day_expr(pl.col("ts")))
        for (tolerance,), rows in ended.group_by("tolerance_min"):
            verdicts.append(_labelled(rows, days, tolerance=int(str(tolerance)), table=table))
    return pl.concat(verdicts).sort(_KEY)


def _labelled(forecasts: pl.DataFrame, bars: pl.DataFrame, *, tolerance: int, table: str) -> pl.DataFrame:
    horizons = forecasts["horizon_minutes"].unique().to_list()
    labels = forward_returns(bars, horizons=horizons, tolerance_min=tolerance, clock=None)
    beside = forecasts.join(
        labels.select("instrument", "ts", "horizon_minutes", "direction", "return_bp", labelled=True),
        on=["instrument", "ts", "horizon_minutes"],
        how="left",
    )
    realised = pl.col("return_bp")
    status = pl.when(pl.col("labelled").is_null()).then(pl.lit(NO_BAR)).when(realised.is_null()).then(pl.lit(GAP))
    return beside.select(
        *_KEY,
        status=status.otherwise(pl.lit(SETTLED)),
        realised_return_bp=realised,
        hit=(pl.col("direction") == 1) == (pl.col("prediction") == "up"),
        bars=pl.when(realised.is_not_null()).then(pl.lit(table)),
    )


def _verdicts(forecasts: pl.DataFrame, status: str) -> pl.DataFrame:
    """The same verdict without an outcome for all."""
    schema = OUTCOMES.schema()
    nothing = [pl.lit(None, schema[name]).alias(name) for name in ("realised_return_bp", "hit", "bars")]
    return forecasts.select(*_KEY, pl.lit(status).alias("status"), *nothing)


def _horizon_end() -> pl.Expr:
    """The start of the last bar that a label may use."""
    return pl.col("ts") + pl.duration(minutes=pl.col("horizon_minutes"))


def _crosses() -> pl.Expr:
    """Whether the label's life [ts, ts + h + 1 min] ends after the trading day."""
    closes = calendar.trading_day_expr(pl.col("ts")).cast(pl.Datetime("us")) + pl.duration(hours=calendar.OPEN_HOUR)
    return _horizon_end() + pl.duration(minutes=1) > closes.dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")


def pending(lake: "Lake") -> pl.DataFrame:
    """Forecasts without a verdict: the key of `serving.outcomes` and tolerance_min, each once."""
    for table in (PREDICTIONS, OUTCOMES):
        if not lake.listing(table, lake.snapshot()).exists:
            return pl.DataFrame(schema={name: (PREDICTIONS.schema())[name] for name in [*_KEY, "tolerance_min"]})
    return lake.sql(_PENDING).cast({"ts": OUTCOMES.schema()["ts"]})


def due(lake: "Lake") -> int:
    """How many forecasts `settle` would judge now."""
    return _judged(lake, lake.snapshot())[0].height


def settle(lake: "Lake", *, now: datetime) -> Settlement:
    """Judge every forecast that can be judged and write the verdicts, each once, whoever else settles meanwhile."""
    lake.ensure(OUTCOMES)
    try:
        return _settle(lake, now)
    except ContractError:  # another has judged some of them since they were looked up
        return _settle(lake, now)


def _settle(lake: "Lake", now: datetime) -> Settlement:
    snapshot = lake.snapshot()
    verdicts, waiting = _judged(lake, snapshot)
    if verdicts.height:
        stamps = {"settled_at": pl.lit(now, pl.Datetime("us", "UTC")), "bars_snapshot": pl.lit(snapshot, pl.Int64)}
        lake.append(OUTCOMES, verdicts.with_columns(**stamps).select(OUTCOMES.schema().keys()))
    counts = dict(verdicts["status"].value_counts(name="n").sort("status").iter_rows())
    return Settlement(verdicts=counts, waiting=waiting)


def _judged(lake: "Lake", snapshot: int) -> tuple[pl.DataFrame, int]:
    """The verdicts that bars of `snapshot` suffice for, and how many forecasts they leave."""
    waiting = pending(lake)
    found = [_verdicts(waiting.clear(), SETTLED)]
    for (instrument,), forecasts in waiting.group_by("instrument", maintain_order=True):
        found.append(_of_instrument(lake, str(instrument), forecasts, snapshot))
    verdicts = pl.concat(found)
    return verdicts, waiting.height - verdicts.height


def _of_instrument(lake: "Lake", instrument: str, forecasts: pl.DataFrame, snapshot: int) -> pl.DataFrame:
    """By official bars; what they do not reach yet by those of the live stream behind them, if that gives a return."""
    start, end = forecasts.select(pl.col("ts").min(), end=(_horizon_end() + ONE_MINUTE).max()).row(0)

    def read(table: str, start: datetime, end: datetime | None, columns: Sequence[str]) -> pl.DataFrame:
        return lake.read(table, start=start, end=end, columns=columns, instruments=[instrument], snapshot=snapshot)

    official, known = read(CANDLES.name, start, end, BAR_COLUMNS), read(CANDLES.name, start, None, ["ts"])["ts"]
    verdicts = judge(forecasts, official, known=known[-1] if len(known) else None, table=CANDLES.name)
    left = forecasts.join(verdicts, on=_KEY, how="anti")
    live = read(CANDLES_LIVE.name, start, end, BAR_COLUMNS)
    if left.is_empty() or live.is_empty():
        return verdicts
    behind = live if official.is_empty() else live.filter(pl.col("ts") > official["ts"][-1])
    told = pl.concat([official, behind])
    early = judge(left, told, known=told["ts"][-1], table=CANDLES_LIVE.name).filter(pl.col("status") == SETTLED)
    return pl.concat([verdicts, early])
