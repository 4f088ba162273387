"""Declarations of the family `volatility`. Annualised by the bars of a year: 252 days of 1,380 minutes."""

from spx_assets.features.feature import BP, PERCENT_A_YEAR, PRICE, declare

_f = declare("volatility")

FEATURES = (
    _f("volatility_20", "close_to_close", "close", 20, BP, 0, None, "Standard deviation of 20 bar returns; hist_vol_20 per bar",
       model_input=False, seed="volatility_20"),
    _f("volatility_50", "close_to_close", "close", 50, BP, 0, None, "Standard deviation of 50 bar returns; hist_vol_50 per bar",
       model_input=False, seed="volatility_50"),
    _f("hist_vol_20", "close_to_close", "close", 20, PERCENT_A_YEAR, 0, None, "Standard deviation of 20 log returns, a year",
       seed="hist_vol_20"),
    _f("hist_vol_50", "close_to_close", "close", 50, PERCENT_A_YEAR, 0, None, "Standard deviation of 50 log returns, a year",
       seed="hist_vol_50"),
    _f("ewma_vol", "close_to_close", "close", 33, PERCENT_A_YEAR, 0, None,
       "Exponentially weighted root mean square of log returns, decay 0.94 a bar", seed="ewma_vol"),
    _f("vol_of_vol", "close_to_close", "close", 69, "share", 0, None,
       "Standard deviation of hist_vol_20 over 50 bars as a share of its mean", seed="vol_of_vol"),
    _f("vol_ratio", "close_to_close", "close", 200, "ratio", 0, None, "hist_vol_20 over the volatility of 200 bars"),
    _f("downside_share_60", "close_to_close", "close", 60, "share", 0, 1, "Share of 60 bars' squared returns made by falls"),
    _f("jump_share_60", "close_to_close", "close", 61, "share", 0, 1,
       "Barndorff-Nielsen and Shephard: share of 60 bars' variance beyond bipower variation"),
    _f("volatility_percentile", "percentile", "close", 410, "share", 0, 1,
       "Share of the half-hourly hist_vol_20 of the last 1,380 bars (at least 390) below the present one", seed="volatility percentile rank"),
    _f("vol_regime_low", "percentile", "close", 410, "flag", 0, 1, "1 where volatility_percentile is at most 0.25", seed="vol_regime_low"),
    _f("vol_regime_high", "percentile", "close", 410, "flag", 0, 1, "1 where volatility_percentile is at least 0.75",
       seed="vol_regime_high"),
    _f("parkinson_vol", "range_based", "high low", 19, PERCENT_A_YEAR, 0, None, "Parkinson (1980), 20 bars", seed="parkinson_vol"),
    _f("gk_vol", "range_based", "open high low close", 19, PERCENT_A_YEAR, 0, None, "Garman-Klass (1980), 20 bars", seed="gk_vol"),
    _f("rs_vol", "range_based", "open high low close", 19, PERCENT_A_YEAR, 0, None, "Rogers-Satchell (1991), 20 bars", seed="rs_vol"),
    _f("yz_vol", "range_based", "open high low close", 20, PERCENT_A_YEAR, 0, None,
       "Yang-Zhang (2000), 20 bars; the overnight term is the jump between bars", seed="yz_vol"),
    _f("hl_range", "ranges", "high low", 0, PRICE, 0, None, "High minus low of the bar", model_input=False, seed="hl_range"),
    _f("hl_range_pct", "ranges", "high low close", 0, BP, 0, None, "High minus low as a share of the close", seed="hl_range_pct"),
    _f("hl_range_ma20", "ranges", "high low", 19, PRICE, 0, None, "Mean of hl_range over 20 bars", model_input=False,
       seed="hl_range_ma20"),
    _f("realized_range", "ranges", "high low", 59, BP, 0, None,
       "Christensen and Podolskij: root of the summed squared log ranges of 60 bars over 4 ln 2", seed="realized_range"),
    _f("realized_range_ma", "ranges", "high low", 298, BP, 0, None, "Mean of realized_range over 240 bars", seed="realized_range_ma"),
)
