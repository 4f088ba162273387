"""Declarations of the family `technical`: textbook indicators over bars, and their stationary forms."""

from spx_assets.features.feature import BP, PRICE, declare

_f = declare("technical")

PERIODS = (5, 7, 10, 14, 20, 21, 50, 100, 200)
# Neighbouring windows say the same; these are far enough apart to differ (|correlation| < 0.97 on real data).
SMA_DISTANCES = (5, 20, 50, 200)
EMA_DISTANCES = (10, 21, 100)

FEATURES = (
    *(_f(f"sma_{n}", "averages", "close", n - 1, PRICE, 0, None, f"Simple moving average of {n} closes", model_input=False,
         seed=f"sma_{n}") for n in PERIODS),
    *(_f(f"ema_{n}", "averages", "close", n - 1, PRICE, 0, None, f"Exponential moving average of {n} closes", model_input=False,
         seed=f"ema_{n}") for n in PERIODS),
    *(_f(f"sma_distance_{n}", "distances", "close", n - 1, BP, None, None, f"Close against sma_{n}") for n in SMA_DISTANCES),
    *(_f(f"ema_distance_{n}", "distances", "close", n - 1, BP, None, None, f"Close against ema_{n}") for n in EMA_DISTANCES),
    _f("sma_50_200_spread", "distances", "close", 199, BP, None, None, "sma_50 against sma_200: the sign of the golden cross"),
    _f("trend_slope_60", "distances", "close", 59, "basis points a bar", None, None, "Slope of the least-squares line of 60 closes"),
    _f("rsi_14", "rsi", "close", 14, "", 0, 100, "Wilder's relative strength index, 14 bars", seed="rsi_14"),
    _f("rsi_20", "rsi", "close", 20, "", 0, 100, "Wilder's relative strength index, 20 bars", seed="rsi_20"),
    _f("rsi_30", "rsi", "close", 30, "", 0, 100, "Wilder's relative strength index, 30 bars", seed="rsi_30"),
    _f("macd", "macd", "close", 33, PRICE, None, None, "EMA 12 minus EMA 26 of the close", model_input=False, seed="macd"),
    _f("macd_signal", "macd", "close", 33, PRICE, None, None, "EMA 9 of macd", model_input=False, seed="macd_signal"),
    _f("macd_histogram", "macd", "close", 33, PRICE, None, None, "macd minus macd_signal", model_input=False, seed="macd_histogram"),
    _f("macd_bp", "macd", "close", 33, BP, None, None, "macd as a share of the close"),
    _f("macd_signal_bp", "macd", "close", 33, BP, None, None, "macd_signal as a share of the close"),
    _f("macd_histogram_bp", "macd", "close", 33, BP, None, None, "macd_histogram as a share of the close"),
    _f("bb_upper", "bollinger", "close", 19, PRICE, 0, None, "Bollinger: sma_20 plus two standard deviations", model_input=False,
       seed="bb_upper"),
    _f("bb_middle", "bollinger", "close", 19, PRICE, 0, None, "Bollinger: sma_20", model_input=False, seed="bb_middle"),
    _f("bb_lower", "bollinger", "close", 19, PRICE, None, None, "Bollinger: sma_20 minus two standard deviations", model_input=False,
       seed="bb_lower"),
    _f("bb_width", "bollinger", "close", 19, BP, 0, None, "Distance of the Bollinger bands over the middle", seed="bb_width"),
    _f("bb_position", "bollinger", "close", 19, "share", None, None, "Close between the bands: 0 the lower, 1 the upper; null if flat",
       seed="bb_position"),
    _f("atr_14", "average_true_range", "high low close", 14, PRICE, 0, None, "Wilder's average true range, 14 bars",
       model_input=False, seed="atr_14"),
    _f("atr_14_bp", "average_true_range", "high low close", 14, BP, 0, None, "atr_14 as a share of the close"),
    _f("momentum_5", "momentum", "close", 5, PRICE, None, None, "Close minus the close 5 bars before", model_input=False,
       seed="momentum_5"),
    _f("momentum_10", "momentum", "close", 10, PRICE, None, None, "Close minus the close 10 bars before", model_input=False,
       seed="momentum_10"),
    _f("momentum_20", "momentum", "close", 20, PRICE, None, None, "Close minus the close 20 bars before", model_input=False,
       seed="momentum_20"),
    _f("momentum_5_atr", "momentum", "high low close", 14, "atr", None, None, "momentum_5 in units of atr_14"),
    _f("momentum_10_atr", "momentum", "high low close", 14, "atr", None, None, "momentum_10 in units of atr_14"),
    _f("momentum_20_atr", "momentum", "high low close", 20, "atr", None, None, "momentum_20 in units of atr_14"),
    _f("roc_5", "momentum", "close", 5, BP, -1e4, None, "Rate of change over 5 bars; return_5 where no minute is missing",
       model_input=False, seed="roc_5"),
    _f("roc_10", "momentum", "close", 10, BP, -1e4, None, "Rate of change over 10 bars; return_10 where no minute is missing",
       model_input=False, seed="roc_10"),
    _f("roc_12", "momentum", "close", 12, BP, -1e4, None, "Rate of change over 12 bars", seed="roc_12"),
    _f("stoch_k", "stochastic", "high low close", 15, "", 0, 100, "Slow stochastic %K: 14 bars, smoothed over 3; 50 in a flat range",
       seed="stoch_k"),
    _f("stoch_d", "stochastic", "high low close", 17, "", 0, 100, "Slow stochastic %D: mean of the last 3 stoch_k", seed="stoch_d"),
    _f("williams_r_14", "stochastic", "high low close", 13, "", -100, 0, "Williams %R of 14 bars; -50 in a flat range",
       seed="williams_r"),
    _f("cci_20", "commodity_channel", "high low close", 19, "", None, None, "Commodity channel index, 20 bars; 0 in a flat range",
       seed="cci_20"),
    _f("adx_14", "directional", "high low close", 27, "", 0, 100, "Wilder's average directional index, 14 bars", seed="adx_14"),
    _f("di_spread_14", "directional", "high low close", 14, "", -100, 100, "Wilder's +DI minus -DI, 14 bars"),
    _f("rsi_14_x_adx_14", "directional", "high low close", 27, "", -50, 50, "(rsi_14 - 50) times adx_14 / 100: momentum in a trend"),
    _f("mfi_14", "money_flow", "high low close volume", 14, "", 0, 100, "Money flow index, 14 bars; null without volume", seed="mfi_14"),
)
