"""Settings of what runs without being asked: schedules, retraining, what it may cost.

Belongs here: names, types, defaults. Does not: what is run or when (`automation`), what is counted (`monitoring.costs`).
"""

from typing import Literal

from pydantic import BaseModel, Field


class AutomationSettings(BaseModel):
    on: bool = Field(False, description="whether daily work and its sensors run from the start; `spx up` switches them on")
    interval_s: int = Field(30, ge=1, description="seconds between two looks of a sensor at the newest reports")
    retrain: Literal["daily", "weekly", "off"] = Field(
        "weekly", description="how often the clock asks for a training: after each trading day, after Friday, or never"
    )
    hourly: bool = Field(False, description="whether the open week is made and measured again every hour as well")
    cool_down_h: float = Field(6.0, ge=0, description="hours after the start of a training in which no measure starts another")
    minutes_per_day: float = Field(
        240.0, gt=0, description="minutes that runs which measures asked for may take in a trading day; beyond it they wait"
    )
    freshness: bool = Field(
        False, description="whether assets are held to the daily rhythm; `spx up` switches it on where a feed is live"
    )


class CostSettings(BaseModel):
    """Prices are of any currency; without them only calls and minutes are counted."""

    per_minute: float | None = Field(None, ge=0, description="price of a minute of a run; unset: runs cost nothing")
    per_call: dict[str, float] = Field({}, description='price of a call by provider, as JSON: {"Finnhub": 0.001}')
    per_day: float = Field(10.0, gt=0, description="what a trading day may cost before an alert, and before measures start runs")
    per_month: float = Field(200.0, gt=0, description="the same for a month")
