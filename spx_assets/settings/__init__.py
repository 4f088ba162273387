"""Every setting of the platform, typed, with its default and its reason.

Belongs here: names, types, defaults and where values are read from. Does not: any behaviour that a setting switches.

Values are read from the environment (`SPX_` prefix, `__` between levels: `SPX_LAKE__CATALOG`), then from
`$SPX_HOME/settings.env`, then from `./.env`, then from the defaults below.
"""

import os
import re
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from dotenv import dotenv_values
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from spx_assets import SpxError
from spx_assets.settings.alerts import AlertSettings
from spx_assets.settings.automation import AutomationSettings, CostSettings
from spx_assets.settings.deploy import DeploySettings
from spx_assets.settings.models import (
    FAMILIES,
    EnsembleSettings,
    Families,
    GateSettings,
    LightGBMSettings,
    LinearSettings,
    LstmSettings,
    ModelSettings,
    RandomForestSettings,
    TuningSettings,
    XGBoostSettings,
)
from spx_assets.settings.monitoring import MonitoringSettings
from spx_assets.settings.news import NewsSettings
from spx_assets.settings.serving import ServingSettings
from spx_assets.settings.sources import DukascopySettings, OandaSettings, SimulatorSettings
from spx_assets.settings.stream import StreamSettings
from spx_assets.settings.upkeep import UpkeepSettings

__all__ = [
    "FAMILIES",
    "AlertSettings",
    "AutomationSettings",
    "CalendarSettings",
    "CostSettings",
    "DeploySettings",
    "DukascopySettings",
    "EnsembleSettings",
    "Families",
    "GateSettings",
    "LabelSettings",
    "LakeSettings",
    "LightGBMSettings",
    "LinearSettings",
    "LstmSettings",
    "MlflowSettings",
    "ModelSettings",
    "MonitoringSettings",
    "NewsSettings",
    "OandaSettings",
    "RandomForestSettings",
    "ServingSettings",
    "Settings",
    "SettingsError",
    "SimulatorSettings",
    "StreamSettings",
    "TuningSettings",
    "UpkeepSettings",
    "XGBoostSettings",
    "load",
    "scope_of",
]


class SettingsError(SpxError):
    """A setting has a value the platform cannot work with."""


class LakeSettings(BaseModel):
    catalog: str = Field("", description="DuckLake catalog: empty for SQLite in the home, a file path, or a postgres:// URL")
    data: str = Field("", description="Parquet root: empty for a folder in the home, a folder, or s3://bucket/prefix")
    lock_timeout_s: float = Field(120.0, description="how long a writer waits for a table's lock before LakeBusyError")
    lock_poll_s: float = Field(0.01, description="how often a waiting writer looks at the lock")
    chunk_weeks: int = Field(16, ge=1, description="weeks computed and staged together: 16 x 6,900 bars x 120 floats = 53 MB")
    commit_weeks: int = Field(130, ge=1, description="weeks that one transaction of a range replaces: half of five years")
    retries: int = Field(8, ge=0, description="further attempts of a transaction that conflicts with another")
    keep_files_h: float = Field(48.0, gt=0, description="age in hours below which clean-up touches no file; longer than any run")
    memory_limit: str = Field("1GB", description="memory DuckDB may use before it spills to disk")
    threads: int = Field(2, ge=1, description="threads DuckDB may use in a process that only reads; a writer uses one")
    s3_endpoint: str = Field("", description="host:port of an S3 service other than AWS, e.g. localhost:9000")
    s3_region: str = Field("us-east-1", description="region of the bucket")
    s3_access_key_id: str = Field("", description="who reads and writes the bucket")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="its secret")
    s3_use_ssl: bool = Field(True, description="whether the S3 service speaks TLS")


class CalendarSettings(BaseModel):
    holidays: Annotated[list[date], NoDecode] = Field(
        default=[], description="dates on which the market is closed, beyond weekends; comma separated in the environment"
    )

    @field_validator("holidays", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class LabelSettings(BaseModel):
    horizons: tuple[int, ...] = Field((30, 60), description="forecast horizons in minutes, each once, from 1 to 1439")
    tolerance_min: int = Field(5, ge=1, description="longest gap between two bars that a label may span, minutes")

    @field_validator("horizons")
    @classmethod
    def _within_a_day(cls, given: tuple[int, ...]) -> tuple[int, ...]:
        # A label's life, h + 1 minutes, ends within its bar's trading day, of 1,440.
        if not given or len(set(given)) < len(given) or not all(1 <= h < 1440 for h in given):
            raise ValueError("give one or more horizons, each once, from 1 to 1439 minutes: labels end with their trading day")
        return given


class MlflowSettings(BaseModel):
    tracking_uri: str = Field("", description="MLflow server or store; empty for SQLite in the home")
    experiment: str = Field("spx-assets", description="experiment that runs are filed under")


class LinkSettings(BaseModel):
    """Addresses that people use, which links of the Dagster UI lead to; `spx up` fills in the ports it took."""

    mlflow: str = Field("http://127.0.0.1:5001", description="MLflow's UI: each trained version links to its run")
    dashboard: str = Field("http://127.0.0.1:8000", description="the dashboard: models, measures and pages of drift link to it")


class Settings(BaseSettings):
    """All settings of one home. Build it with `load()`; tests may pass values directly."""

    model_config = SettingsConfigDict(env_prefix="SPX_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path(".spx"), description="folder of all state")
    history_start: date = Field(date(2010, 1, 3), description="first trading week: a Sunday")
    lookback_days: int = Field(3, ge=1, le=5, description="trading days of history a feature may see before its own day")
    lake: LakeSettings = LakeSettings()
    calendar: CalendarSettings = CalendarSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    oanda: OandaSettings = OandaSettings()
    dukascopy: DukascopySettings = DukascopySettings()
    labels: LabelSettings = LabelSettings()
    models: ModelSettings = ModelSettings()
    tuning: TuningSettings = TuningSettings()
    serving: ServingSettings = ServingSettings()
    deploy: DeploySettings = DeploySettings()
    stream: StreamSettings = StreamSettings()
    redis_url: SecretStr = Field(
        SecretStr(""), description="Redis that several services share, redis://[:password@]host:port/0; empty: none"
    )
    mlflow: MlflowSettings = MlflowSettings()
    links: LinkSettings = LinkSettings()
    news: NewsSettings = NewsSettings()
    alerts: AlertSettings = AlertSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    automation: AutomationSettings = AutomationSettings()
    costs: CostSettings = CostSettings()

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("history_start")
    @classmethod
    def _sunday(cls, value: date) -> date:
        if value.weekday() != 6:
            raise ValueError(f"SPX_HISTORY_START={value} is a {value:%A}; a trading week starts on a Sunday")
        return value

    @model_validator(mode="after")
    def _of_forecasters(self) -> Self:
        known = [name for name, _, _ in self.model_names]
        if unknown := [name for name in self.models.features if name not in known]:
            raise ValueError(f"SPX_MODELS__FEATURES names {', '.join(unknown)}, no forecaster of this home: {', '.join(known)}")
        return self

    @cached_property
    def landing(self) -> Path:
        """Content-addressed files that feeds are bound to."""
        return self.home / "landing"

    @cached_property
    def artifacts(self) -> Path:
        """Model artifacts: `models/<name>/<version>/`."""
        return self.home / "artifacts"

    @cached_property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @cached_property
    def mlflow_uri(self) -> str:
        return self.mlflow.tracking_uri or f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"

    @property
    def model_names(self) -> list[tuple[str, str, int]]:
        """(model name, scope, horizon in minutes) for every forecaster, e.g. ('spx500_h30', 'spx500', 30)."""
        return [(f"{scope}_h{h}", scope, h) for scope in self.models.scopes for h in self.labels.horizons]


def scope_of(instrument: str) -> str:
    """The default scope name of one instrument: 'SPX500_USD' -> 'spx500', any other its own slug ('EUR_USD' -> 'eur_usd')."""
    return "spx500" if instrument == "SPX500_USD" else re.sub(r"[^a-z0-9]+", "_", instrument.lower()).strip("_")


def load(home: Path | str | None = None) -> Settings:
    """Settings of `home` (default: `SPX_HOME`, else `./.spx`), its `settings.env` read after the environment."""
    folder = Path(home or os.environ.get("SPX_HOME") or dotenv_values(".env").get("SPX_HOME") or ".spx").expanduser().absolute()
    try:
        # Later files win over earlier ones in pydantic-settings, and the environment over both.
        return Settings(home=folder, _env_file=(".env", folder / "settings.env"))
    except (ValidationError, PydanticSettingsError) as error:
        raise SettingsError(f"{_words(error)}; correct it in the environment, {folder / 'settings.env'} or ./.env") from error


def _words(error: ValidationError | PydanticSettingsError) -> str:
    if isinstance(error, PydanticSettingsError):
        return str(error)
    # A problem of several settings at once has no place, and its input is all of them, tokens included.
    return ", ".join(
        f"{_named(problem['loc'])}={_shown(problem['loc'], problem['input'])}: {problem['msg']}"
        if problem["loc"]
        else problem["msg"]
        for problem in error.errors()
    )


def _named(place: tuple[int | str, ...]) -> str:
    return f"SPX_{'__'.join(str(part) for part in place).upper()}"


def _shown(place: tuple[int | str, ...], given: object) -> str:
    """A value as an error may repeat it: none of a secret, nor of a group of settings, which may hold one."""
    words = ("secret", "token", "key", "password", "url", "channels")
    secret = isinstance(given, dict) or any(word in str(part).lower() for part in place[-2:] for word in words)
    return "***" if secret else repr(given)
