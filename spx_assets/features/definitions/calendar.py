"""Declarations of the family `calendar`: functions of the bar's time alone, in New York market time."""

from spx_assets.features.feature import declare

_f = declare("calendar")

FEATURES = (
    _f("minute_of_day", "clock", "", 0, "minutes", 0, 1439, "Minutes since midnight in New York", model_input=False, seed="hour"),
    _f("day_of_week", "clock", "", 0, "", 0, 4, "Weekday of the trading day, Monday 0", model_input=False, seed="day_of_week"),
    _f("time_of_day_sin", "cycles", "", 0, "", -1, 1, "Sine of the time of day, one turn in 24 hours", seed="hour"),
    _f("time_of_day_cos", "cycles", "", 0, "", -1, 1, "Cosine of the time of day, one turn in 24 hours", seed="hour"),
    _f("day_of_week_sin", "cycles", "", 0, "", -1, 1, "Sine of the weekday of the trading day, one turn in five days",
       seed="day_of_week"),
    _f("day_of_week_cos", "cycles", "", 0, "", -1, 1, "Cosine of the weekday of the trading day, one turn in five days",
       seed="day_of_week"),
    _f("session_asia", "sessions", "", 0, "flag", 0, 1, "1 from 17:00 to 03:00 New York", seed="session"),
    _f("session_europe", "sessions", "", 0, "flag", 0, 1, "1 from 03:00 to 09:30 New York", seed="session"),
    _f("session_us", "sessions", "", 0, "flag", 0, 1, "1 from 09:30 to 16:00 New York", seed="session"),
    _f("minutes_to_day_end", "sessions", "", 0, "minutes", 1, 1440, "Minutes until the trading day ends at 17:00 New York"),
)
