"""Declarations of the family `returns`."""

from spx_assets.features.feature import BP, declare

_f = declare("returns")

# The horizons the seeds name; minutes of the clock, not bars, so a gap does not stretch them.
MINUTES = (1, 5, 10, 30, 60, 90, 120, 150, 180, 210, 240, 270, 360)

FEATURES = (
    *(
        _f(
            f"return_{k}",
            "over_minutes",
            "close",
            k,
            BP,
            -1e4,
            None,
            f"Simple return against the last price known {k} minute{'s' * (k > 1)} before the bar",
            seed=f"return_{k}",
        )
        for k in MINUTES
    ),
    _f("log_return_1", "over_minutes", "close", 1, BP, None, None, "Log return against the last price known a minute before",
       model_input=False, seed="log returns"),
    _f("day_return", "of_the_day", "open close", 0, BP, -1e4, None, "Simple return since the first price of the trading day"),
    _f("opening_gap", "of_the_day", "open close", 1440, BP, -1e4, None,
       "First price of the trading day against the last close before it; the same all day"),
    _f("return_5_sigma", "in_sigma", "close", 60, "sigma", None, None,
       "return_5 over what 5 bars of the last 60 bars' volatility would move"),
    _f("return_30_sigma", "in_sigma", "close", 60, "sigma", None, None,
       "return_30 over what 30 bars of the last 60 bars' volatility would move"),
    _f("return_autocorrelation_60", "shape", "close", 61, "correlation", -1, 1,
       "Correlation of bar returns with the bar before, over 60 bars: negative bounces, positive trends"),
    _f("efficiency_ratio_30", "shape", "close", 30, "share", 0, 1,
       "Kaufman: net move of 30 bars over the path walked; 1 is a straight line"),
)
