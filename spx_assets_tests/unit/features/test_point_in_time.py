"""The point-in-time join gives what was known then, and the report of correlated inputs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spx_assets.features import correlation, inputs, point_in_time
from spx_assets.lake.tables import table
from spx_assets.news import signals
from spx_assets_tests.unit.features.market import FrameLake
from spx_assets_tests.unit.news import scored

T = datetime(2019, 5, 2, 14, 0, tzinfo=UTC)


def _lake() -> FrameLake:
    schema = table("gold.market_features").schema()
    rows = [("SPX500_USD", T, 40.0), ("SPX500_USD", T + timedelta(minutes=1), 50.0), ("EUR_USD", T, 60.0)]
    frame = pl.DataFrame(
        [{"instrument": i, "ts": ts, "trading_day": ts.date(), "rsi_14": v} for i, ts, v in rows],
        schema=dict(schema),
        strict=False,
    )
    told = scored.frame([scored.article(T - timedelta(minutes=10)), scored.article(T + timedelta(minutes=1), article_id="b")])
    return FrameLake({"gold.market_features": frame, "gold.news_signals": signals.signals(frame.select(signals.BAR), told)})


def _get(times: list[datetime], instruments: list[str], **options: object) -> pl.DataFrame:
    request = pl.DataFrame({"instrument": instruments, "ts": times})
    return point_in_time.join(_lake(), request, features=["rsi_14"], **options)  # type: ignore[arg-type]


def test_a_bar_is_known_from_its_end_and_not_before() -> None:
    ends = [T + timedelta(minutes=1), T + timedelta(minutes=1, seconds=59), T + timedelta(minutes=2), T + timedelta(seconds=59)]
    assert _get(ends, ["SPX500_USD"] * 4)["rsi_14"].to_list() == [40.0, 40.0, 50.0, None]


def test_rows_keep_their_order_and_their_instrument() -> None:
    got = _get([T + timedelta(hours=1), T, T + timedelta(minutes=1)], ["EUR_USD", "SPX500_USD", "SPX500_USD"])
    assert got["rsi_14"].to_list() == [60.0, None, 40.0]
    assert got["bar_ts"].to_list() == [T, None, T]
    assert got.columns == ["instrument", "ts", "bar_ts", "rsi_14"]


def test_a_bar_too_old_is_not_given() -> None:
    late = [T + timedelta(days=5)]
    assert _get(late, ["SPX500_USD"])["rsi_14"].to_list() == [None]
    assert _get(late, ["SPX500_USD"], max_age=timedelta(days=6))["rsi_14"].to_list() == [50.0]


def test_times_in_other_zones_and_as_text_are_understood() -> None:
    stamps = ["2019-05-02T10:01:00-04:00", "2019-05-02T14:01:30", "2019-05-02 14:02Z", "2019-05-02"]
    request = pl.DataFrame({"instrument": ["SPX500_USD"] * 4, "ts": stamps})
    got = point_in_time.join(_lake(), request, features=["rsi_14"])  # type: ignore[arg-type]
    assert got["rsi_14"].to_list() == [40.0, 40.0, 50.0, None]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (pl.DataFrame({"symbol": ["X"], "ts": [T]}), "lacks the column instrument"),
        (pl.DataFrame({"instrument": ["X"], "ts": ["soon"]}), "'soon' is not an ISO time"),
        (pl.DataFrame({"instrument": ["X"], "ts": ["10/02/2025 15:00"]}), "'10/02/2025 15:00' is not an ISO time"),
        (pl.DataFrame({"instrument": ["X"], "ts": [1556805600]}), "holds Int64, not times"),
        (pl.DataFrame({"instrument": [None], "ts": [T]}, schema_overrides={"instrument": pl.String}), "without an instrument"),
    ],
)
def test_a_bad_request_says_what_to_change(request_: pl.DataFrame, message: str) -> None:
    with pytest.raises(point_in_time.RequestError, match=message):
        point_in_time.join(_lake(), request_)  # type: ignore[arg-type]


def test_requests_are_read_from_files_and_their_stamps_are_utc(tmp_path: Path) -> None:
    stamps = pl.DataFrame({"instrument": ["SPX500_USD"], "ts": [T.replace(tzinfo=None) + timedelta(minutes=2)], "mine": [7]})
    stamps.write_parquet(tmp_path / "keys.parquet")
    stamps.write_csv(tmp_path / "keys.csv")
    for name in ("keys.parquet", "keys.csv"):
        got = point_in_time.join(_lake(), point_in_time.read_keys(tmp_path / name), features=["rsi_14"])  # type: ignore[arg-type]
        assert got.rows() == [("SPX500_USD", T + timedelta(minutes=2), 7, T + timedelta(minutes=1), 50.0)]
    (tmp_path / "bad.parquet").write_bytes(b"\x00\x01")
    with pytest.raises(point_in_time.RequestError, match="neither CSV nor Parquet"):
        point_in_time.read_keys(tmp_path / "bad.parquet")


def test_values_where_nothing_is_known_say_what_to_do() -> None:
    with pytest.raises(point_in_time.RequestError, match="spx backfill"):
        point_in_time.values(_lake(), instrument="SPX500_USD", at=T)  # type: ignore[arg-type]
    with pytest.raises(point_in_time.RequestError, match="has no NOPE; it holds EUR_USD, SPX500_USD"):
        point_in_time.values(_lake(), instrument="NOPE", at=T)  # type: ignore[arg-type]


def test_an_unknown_feature_is_refused() -> None:
    request = pl.DataFrame({"instrument": ["SPX500_USD"], "ts": [T]})
    with pytest.raises(point_in_time.RequestError, match=r"no model input 'sma_5'; `spx features list`"):
        point_in_time.join(_lake(), request, features=["sma_5"])  # type: ignore[arg-type]


def test_values_of_one_instant() -> None:
    got = point_in_time.values(_lake(), instrument="SPX500_USD", at=T + timedelta(minutes=5))  # type: ignore[arg-type]
    assert got.filter(pl.col("feature") == "rsi_14").row(0)[:3] == ("rsi_14", "technical", 50.0)
    assert got["bar_ts"].unique().to_list() == [T + timedelta(minutes=1)]
    assert got.filter(pl.col("feature") == "article_count").row(0)[:3] == ("article_count", "news", 2.0)


def test_a_bar_whose_signals_were_never_made_is_no_bar_without_news() -> None:
    lake = FrameLake({"gold.market_features": _lake().tables["gold.market_features"]})
    request = pl.DataFrame({"instrument": ["SPX500_USD"], "ts": [T + timedelta(minutes=5)]})
    market = point_in_time.join(lake, request, features=["rsi_14"])  # type: ignore[arg-type]
    assert market["rsi_14"].to_list() == [50.0]
    with pytest.raises(
        inputs.SignalsMissingError, match=r"2 bars of SPX500_USD .*`spx backfill gold/news_signals --from 2019-04-28"
    ):
        point_in_time.join(lake, request, features=["rsi_14", "article_count"])  # type: ignore[arg-type]


def test_signals_are_joined_on_equality_by_instrument_and_minute() -> None:
    rows = _lake().tables
    market, told = rows["gold.market_features"], rows["gold.news_signals"]
    joined = inputs.join(market.sort("instrument", "ts")[1:], told.sort("instrument", "ts"))
    assert joined.select("instrument", "ts", "rsi_14", "article_count").rows() == [
        ("SPX500_USD", T, 40.0, 1.0),
        ("SPX500_USD", T + timedelta(minutes=1), 50.0, 2.0),
    ]


def test_the_report_finds_copies_and_leaves_the_rest() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(1000), rng.standard_normal(1000)
    frame = pl.DataFrame(
        {"rsi_14": x, "rsi_20": -3.0 * x + 7.0, "return_1": y, "return_5": x + 0.1 * y, "macd_bp": np.ones(1000)}
    )
    frame = frame.with_columns(pl.when(pl.int_range(1000) > 500).then(pl.col("rsi_20")).alias("rsi_20"))
    found = {(a, b): round(c, 3) for a, b, c in correlation.pairs(frame, above=0.95).rows()}
    assert found[("rsi_14", "rsi_20")] == -1.0
    assert {frozenset(pair) for pair in found} == {
        frozenset(p) for p in (("rsi_14", "rsi_20"), ("rsi_14", "return_5"), ("rsi_20", "return_5"))
    }
