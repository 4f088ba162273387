"""The catalog: what it promises to tables, models and the people who knew the features under other names."""

import subprocess
import sys
from pathlib import Path

import pytest

from spx_assets.features import catalog
from spx_assets.features.compute import steps
from spx_assets.features.feature import Feature
from spx_assets.features.wording import without_wording
from spx_assets.lake.tables import table

# Every feature the seeds name -> ours in silver or gold, or the reason why there is none.
SEEDS: dict[str, tuple[str, ...] | str] = {
    "open": "a column of bronze.candles; a price level says nothing about the next half hour",
    "high": "a column of bronze.candles",
    "low": "a column of bronze.candles",
    "volume": "a column of bronze.candles; models get volume_ratio and volume_zscore",
    "is_backfilled": "no row is ever filled in: the lake holds only bars that existed",
    "has_original_prev_30_to_60min": "a null return_30 or return_60 says it",
    "has_original_prev_30_to_360min": "a null return says it; trading_density_60 says how many minutes traded",
    **{f"return_{k}": (f"return_{k}",) for k in (1, 5, 10, 30, 60, 90, 120, 150, 180, 210, 240, 270, 360)},
    "returns simple": ("return_1",),
    "returns log": ("log_return_1",),
    "returns percentage": "return_1 in basis points is the same number",
    "rsi_14": ("rsi_14",),
    "rsi_20": ("rsi_20",),
    "rsi_30": ("rsi_30",),
    "macd": ("macd", "macd_bp"),
    "macd_signal": ("macd_signal", "macd_signal_bp"),
    "macd_histogram": ("macd_histogram", "macd_histogram_bp"),
    "bb_upper": ("bb_upper",),
    "bb_middle": ("bb_middle",),
    "bb_lower": ("bb_lower",),
    "bb_width": ("bb_width",),
    "bb_position": ("bb_position",),
    **{f"sma_{n}": (f"sma_{n}",) for n in (5, 7, 10, 14, 20, 21, 50, 100, 200)},
    **{f"ema_{n}": (f"ema_{n}",) for n in (5, 7, 10, 14, 20, 21, 50, 100, 200)},
    "atr_14": ("atr_14", "atr_14_bp"),
    "adx_14": ("adx_14",),
    "stochastic": ("stoch_k", "stoch_d"),
    "williams_r": ("williams_r_14",),
    "cci": ("cci_20",),
    "mfi": ("mfi_14",),
    "momentum_5": ("momentum_5", "momentum_5_atr"),
    "momentum_10": ("momentum_10", "momentum_10_atr"),
    "momentum_20": ("momentum_20", "momentum_20_atr"),
    "roc_5": ("roc_5",),
    "roc_10": ("roc_10",),
    "roc_12": ("roc_12",),
    "volatility_20": ("volatility_20",),
    "volatility_50": ("volatility_50",),
    "hl_range": ("hl_range",),
    "hl_range_pct": ("hl_range_pct",),
    "hl_range_ma20": ("hl_range_ma20",),
    "hist_vol_20": ("hist_vol_20",),
    "hist_vol_50": ("hist_vol_50",),
    "gk_vol": ("gk_vol",),
    "parkinson_vol": ("parkinson_vol",),
    "rs_vol": ("rs_vol",),
    "yz_vol": ("yz_vol",),
    "vol_of_vol": ("vol_of_vol",),
    "vol_regime_low": ("vol_regime_low",),
    "vol_regime_high": ("vol_regime_high",),
    "realized_range": ("realized_range",),
    "realized_range_ma": ("realized_range_ma",),
    "ewma_vol": ("ewma_vol",),
    "volatility percentile rank": ("volatility_percentile",),
    "spread_proxy": ("spread_proxy",),
    "spread_pct": ("spread_pct",),
    "bid_ask_spread absolute": ("spread_quoted",),
    "bid_ask_spread relative": ("spread_pct",),
    "effective spread": ("spread_proxy", "effective_spread_roll"),
    "bid/ask liquidity": ("spread_ratio_60", "trading_density_60"),
    "bid/ask imbalance": ("wick_imbalance_15", "wick_imbalance_30", "wick_imbalance_60"),
    "quoted depth": "candles carry no order-book sizes",
    "order_flow_imbalance": ("order_flow_imbalance", "tick_imbalance_30"),
    "buy_pressure": ("buy_pressure_5", "buy_pressure_15", "buy_pressure_30", "buy_pressure_60"),
    "sell_pressure": ("sell_pressure_30",),
    "volume_ma20": ("volume_ma20",),
    "volume_ma50": ("volume_ma50",),
    "volume_ratio": ("volume_ratio",),
    "volume_zscore": ("volume_zscore",),
    "volume_velocity": ("volume_velocity",),
    "volume_acceleration": ("volume_acceleration",),
    "price_impact": ("price_impact",),
    "price_impact_ma20": ("price_impact_ma20",),
    "illiquidity": ("illiquidity", "illiquidity_ratio"),
    "illiquidity_ma20": ("illiquidity_ma20",),
    "vwap": ("vwap",),
    "close_vwap_ratio": ("close_vwap_ratio",),
    "vwap_deviation": ("vwap_deviation",),
    "volume_clusters": "vwap_deviation places the price in the day's volume; most feeds report no volume to cluster",
    "support_resistance": ("resistance_distance_60", "resistance_distance_240", "support_distance_60", "support_distance_240"),
    "breakouts": ("breakout_60", "breakout_240"),
    "price ratios": ("sma_50_200_spread", "close_vwap_ratio"),
    "cross-sectional": "one instrument is forecast; a second one is a row, not a column",
    "hour": ("minute_of_day", "time_of_day_sin", "time_of_day_cos"),
    "day_of_week": ("day_of_week", "day_of_week_sin", "day_of_week_cos"),
    "session": ("session_asia", "session_europe", "session_us"),
    "interactions": ("rsi_14_x_adx_14", "buy_pressure_30_x_range", "return_5_sigma", "return_30_sigma"),
    "timeframe 5m": ("rsi_14_5m", "return_5m", "sma_distance_20_5m", "atr_14_bp_5m"),
    "timeframe 15m": ("rsi_14_15m",),
    "timeframe 1h": ("rsi_14_1h",),
    "timeframe 1d": ("rsi_14_1d", "return_1d", "sma_distance_200_1d"),
    "options metrics": "no options data enters the lake",
    "avg_sentiment": ("avg_sentiment", "avg_sentiment_15", "relevant_sentiment"),
    "signal_strength": ("signal_strength", "signal_strength_15"),
    "trading_signal": ("trading_signal", "trading_signal_15"),
    "article_count": ("article_count", "article_count_15"),
    "quality_score": ("quality_score",),
    "positive_prob": ("positive_prob",),
    "negative_prob": ("negative_prob",),
    "neutral_prob": ("neutral_prob",),
    "polarity": ("avg_polarity",),
    "subjectivity": ("avg_subjectivity",),
    "policy tone": ("avg_policy_tone",),
    "financial tone": ("avg_polarity",),
    "signal_time": "ts of gold.news_signals: the start of the bar",
    "latest_headline": "a column of gold.news_signals for people; a text is no number",
    "latest_source": "a column of gold.news_signals for people",
    "social media sentiment": "no social media enter the lake",
}


def stored_in(feature: Feature) -> str:
    return "gold.news_signals" if feature.family == catalog.NEWS else f"silver.{feature.family}"


def test_every_seed_feature_is_in_the_lake_or_has_a_reason() -> None:
    stored = {f.name for f in catalog.FEATURES if f.name in table(stored_in(f)).schema()}
    missing = {seed: name for seed, ours in SEEDS.items() if not isinstance(ours, str) for name in ours if name not in stored}
    assert missing == {}
    assert {seed for seed, ours in SEEDS.items() if not ours} == set()
    # What the catalog says came from a seed is in the table above, under that name or a wider one.
    named = {f.name for f in catalog.FEATURES if f.seed_name}
    assert named - {name for ours in SEEDS.values() if not isinstance(ours, str) for name in ours} <= {"vwap_deviation"}


def test_there_are_at_least_108_market_inputs_and_names_are_unique() -> None:
    inputs = catalog.market_inputs()
    assert len(inputs) >= 108
    assert len({f.name for f in catalog.FEATURES}) == len(catalog.FEATURES)
    assert [f.name for f in inputs] == list(table("gold.market_features").schema())[3:]


def test_market_inputs_come_before_those_of_news_and_are_at_least_114_together() -> None:
    news = [f.name for f in catalog.family(catalog.NEWS) if f.model_input]
    assert [f.name for f in catalog.model_inputs()] == [*(f.name for f in catalog.market_inputs()), *news]
    assert len(catalog.model_inputs()) >= 114
    assert list(table("gold.news_signals").schema())[3:-2] == [f.name for f in catalog.family(catalog.NEWS)]


@pytest.mark.parametrize("family", catalog.MARKET_FAMILIES)
def test_a_family_is_whole(family: str) -> None:
    features = catalog.family(family)
    assert [f.name for step in steps(family) for f in step.features if f.family != family] == []
    assert sorted(f.name for step in steps(family) for f in step.features) == sorted(f.name for f in features)
    kinds = {name: str(kind) for name, kind in table(f"silver.{family}").schema().items()}
    assert {kinds[f.name] for f in features if f.model_input} == {"Float32"}
    assert {kinds[f.name] for f in features if not f.model_input} <= {"Float64"}
    for f in features:
        assert f.description, f.name
        assert f.low is None or f.high is None or f.low < f.high, f.name


def test_levels_are_for_people_and_never_model_inputs() -> None:
    assert [f.name for f in catalog.FEATURES if f.unit == "price" and f.model_input] == []


def test_the_catalog_loads_nothing_but_the_standard_library() -> None:
    code = "import sys; from spx_assets.features import catalog; catalog.code_version('returns'); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "polars", "talib", "duckdb", "spx_assets.lake"} & set(loaded) == set()


def test_the_set_hash_is_of_order_and_definitions() -> None:
    assert catalog.feature_set_hash(["rsi_14", "atr_14_bp"]) == catalog.feature_set_hash(("rsi_14", "atr_14_bp"))
    assert catalog.feature_set_hash(["rsi_14", "atr_14_bp"]) != catalog.feature_set_hash(["atr_14_bp", "rsi_14"])
    with pytest.raises(KeyError):
        catalog.feature_set_hash(["no_such_feature"])


def test_the_set_hash_changes_with_the_code_of_its_families_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["rsi_14", "return_5"]
    before, version = catalog.feature_set_hash(names), catalog.code_version
    monkeypatch.setattr(catalog, "code_version", lambda family: version(family) + ("!" if family == "technical" else ""))
    assert catalog.feature_set_hash(names) != before
    monkeypatch.setattr(catalog, "code_version", lambda family: version(family) + ("!" if family == "volatility" else ""))
    assert catalog.feature_set_hash(names) == before


def test_code_versions_differ_by_family_and_not_by_wording(tmp_path: Path) -> None:
    versions = {name: catalog.code_version(name) for name in (*catalog.FAMILIES, "daily_bars", "market_features")}
    assert len(set(versions.values())) == len(versions)
    plain, worded = tmp_path / "a.py", tmp_path / "b.py"
    plain.write_text("def f(x):\n    return x + 1\n")
    worded.write_text('"""Adds."""\n\n\ndef f(x):\n    """One more."""\n    # the next\n    return (x + 1)\n')
    assert without_wording(plain) == without_wording(worded)


def test_what_a_source_says_is_remembered_beside_its_bytecode_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("def f(x):\n    # the next\n    return x + 1\n")
    said = without_wording(path)
    (kept,) = (tmp_path / "__pycache__").iterdir()
    assert kept.read_text().partition("\n")[2] == said
    kept.write_text(kept.read_text() + "# read from here")
    without_wording.cache_clear()
    assert without_wording(path) == said + "# read from here"
    path.write_text("def f(x):\n    return x + 2\n")
    without_wording.cache_clear()
    assert without_wording(path) == "def f(x):\n    return x + 2"


def test_nothing_is_remembered_where_no_bytecode_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert without_wording(path) == "x = 1"
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "__pycache__").write_text("a file in the way")
    without_wording.cache_clear()
    assert without_wording(path) == "x = 1"
    assert {each.name for each in tmp_path.iterdir()} == {"a.py", "__pycache__"}


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="known: returns, technical"):
        catalog.family("weather")
