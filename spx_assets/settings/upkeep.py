"""Settings of upkeep: how long rows are kept, which snapshots outlive their age, when upkeep runs.

Belongs here: names, types, defaults. Does not: what upkeep does (`upkeep`, `lake.maintenance`, `lake.retention`).
"""

from pydantic import BaseModel, Field

DAYS = Field(None, ge=28, description="days of the instrument's history that are kept, back from its newest bar; unset: all")


class RetentionSettings(BaseModel):
    """Off unless set. Raw rows and features of the training window and what it looks back on are kept whatever stands here."""

    raw_days: int | None = DAYS
    features_days: int | None = DAYS
    predictions_days: int | None = DAYS


class UpkeepSettings(BaseModel):
    on: bool = Field(False, description="whether the monthly schedule runs from the start; `spx up` switches it on")
    retention: RetentionSettings = RetentionSettings()
    candidates: int = Field(10, ge=0, description="newest versions a forecaster and family whose snapshots are kept")
    snapshot_days: float = Field(30.0, gt=0, description="age from which other snapshots expire, counted from their successor")
    scores_days: float = Field(90.0, ge=0, description="days that sentiment scores stay once their model or text is gone")
    day: int = Field(1, ge=1, le=28, description="day of the month on which the job `maintenance` runs")
