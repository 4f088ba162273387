"""Settings of what is measured day by day: drift, performance, data quality.

Belongs here: names, types, defaults. Does not: what is measured (`monitoring`), when (`automation`), who is told (`alerts`).
"""

from pydantic import BaseModel, Field


class DriftSettings(BaseModel):
    window_days: int = Field(5, ge=1, le=5, description="newest trading days that are set against the training window")
    alpha: float = Field(0.01, gt=0, lt=1, description="p-value, adjusted for the number of inputs, below which an input drifted")
    share: float = Field(0.30, gt=0, le=1, description="share of drifted inputs above which the day drifted")
    key_features: tuple[str, ...] = Field(
        ("hist_vol_50", "spread_pct"),
        description="inputs of which one is enough; skipped where the model has none such",
    )
    least: float = Field(
        0.1, ge=0, lt=1, description="distance, of the window or of the newest day, below which nothing drifted (the seeds: 0.1)"
    )
    ks: float | None = Field(
        None, gt=0, lt=1, description="distance above which an input drifted, whatever its p-value (the seeds: 0.1)"
    )
    psi: float | None = Field(None, gt=0, description="stability index above which an input drifted, whatever its p-value")


class PerformanceSettings(BaseModel):
    window_days: int = Field(5, ge=1, le=20, description="newest trading days whose settled forecasts are judged together")
    worse: float = Field(0.20, ge=0, description="how much worse than at the gate an error may be, as a share of it")
    alpha: float = Field(0.05, gt=0, lt=1, description="one-sided level of the test that it is worse")
    min_rows: int = Field(100, ge=2, description="settled forecasts below which nothing is said")


class QualitySettings(BaseModel):
    missing_share: float = Field(0.05, gt=0, lt=1, description="share of unknown values, or of minutes without a bar, of a day")
    sigma: float = Field(5.0, gt=0, description="standard deviations of the weeks before beyond which a value is an outlier")
    outlier_share: float = Field(0.02, gt=0, lt=1, description="share of outliers of a day that is too many")
    gap_min: int = Field(60, ge=1, description="longest pause within a trading session that is not reported, minutes")


class MonitoringSettings(BaseModel):
    drift: DriftSettings = DriftSettings()
    performance: PerformanceSettings = PerformanceSettings()
    quality: QualitySettings = QualitySettings()
    report_rows: int = Field(2_000, ge=100, description="rows of either side that the HTML report is drawn from")
