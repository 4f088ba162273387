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
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from spx_assets import SpxError


class SettingsError(SpxError):
    """A setting has a value the platform cannot work with."""


class LakeSettings(BaseModel):
    catalog: str = Field("", description="DuckLake catalog: empty for SQLite in the home, a file path, or a postgres:// URL")
    data: str = Field("", description="Parquet root: empty for a folder in the home, a folder, or s3://bucket/prefix")
    lock_timeout_s: float = Field(120.0, description="how long a writer waits for a table's lock before LakeBusyError")
    lock_poll_s: float = Field(0.01, description="how often a waiting writer looks at the lock")
    chunk_weeks: int = Field(8, ge=1, description="weeks computed and staged together: 8 x 6,900 bars x 120 floats = 26 MB")
    commit_weeks: int = Field(130, ge=1, description="weeks that one transaction of a range replaces: half of five years")
    retries: int = Field(8, ge=0, description="further attempts of a transaction that conflicts with another")
    keep_files_h: float = Field(48.0, gt=0, description="age in hours below which clean-up touches no file; longer than any run")
    memory_limit: str = Field("1GB", description="memory DuckDB may use before it spills to disk")
    threads: int = Field(2, ge=1, description="threads DuckDB may use in a process that only reads; a writer uses one")
    s3_endpoint: str = Field("", description="host:port of an S3 service other than AWS, e.g. localhost:9000")
    s3_region: str = "us-east-1"
    s3_access_key_id: str = ""
    s3_secret_access_key: SecretStr = SecretStr("")
    s3_use_ssl: bool = True


class CalendarSettings(BaseModel):
    holidays: Annotated[list[date], NoDecode] = Field(
        default=[], description="dates on which the market is closed, beyond weekends; comma separated in the environment"
    )

    @field_validator("holidays", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class SimulatorSettings(BaseModel):
    seed: int = 7
    days: int = Field(120, ge=1, description="trading days of history before the fixed end, the open last day included")
    edge: float = Field(1.0, ge=0.0, description="strength of the planted drift: 0 is a driftless walk, 1 the documented default")
    volatility: float = Field(1.0, gt=0.0, description="multiplies the volatility of every bar")
    spread: float = Field(1.0, gt=0.0, description="multiplies the quoted spread of every bar")


class OandaSettings(BaseModel):
    token: SecretStr = SecretStr("")
    url: str = "https://api-fxpractice.oanda.com"
    timeout_s: float = 20.0


class DukascopySettings(BaseModel):
    url: str = "https://datafeed.dukascopy.com/datafeed"
    timeout_s: float = 20.0


class LabelSettings(BaseModel):
    horizons: tuple[int, ...] = Field((30, 60), description="forecast horizons in minutes")
    tolerance_min: int = Field(5, ge=1, description="longest gap between two bars that a label may span, minutes")


class GateSettings(BaseModel):
    min_effective_obs: float = 200.0
    alpha: float = Field(0.05, gt=0, lt=1, description="one-sided level of every test of the gate")
    min_coverage: float = Field(0.95, description="share of rows a champion must be able to forecast")
    max_auc_gap: float = Field(0.25, description="AUC on the fit segment less that out of time; above it was learned by heart")
    max_missing_share: float = Field(0.10, description="share of nulls out of time among inputs that the fit segment knew")
    max_training_s: float = Field(3600.0, description="longest training of a version that may be promoted, seconds")
    max_latency_ms: float = Field(100.0, description="longest median time of one forecast, milliseconds")
    parity: float = Field(1e-5, description="largest difference allowed between the native model and its ONNX graph")


class LightGBMSettings(BaseModel):
    learning_rate: float = Field(
        0.1, description="a third of it takes three times as long and was no better on 6 simulated markets"
    )
    num_leaves: int = Field(8, description="leaves of a tree: interactions of two or three features, no more")
    min_child_samples: int = Field(5000, description="rows a leaf needs: about 160 independent labels at 30 minutes")
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.5
    lambda_l2: float = 10.0
    max_bin: int = Field(63, description="histogram bins a feature; a quarter of the default's time and no worse on noisy rows")
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    max_rounds: int = 400
    early_stopping_rounds: int = 20
    threads: int = Field(2, description="threads of one training; results do not depend on it")
    seed: int = 7


class XGBoostSettings(BaseModel):
    learning_rate: float = Field(0.1, description="as LightGBM's; the same rounds then mean the same")
    max_depth: int = Field(3, ge=1, description="questions on a path: 8 leaves, as LightGBM's, but every row is asked as many")
    min_child_rows: int = Field(5000, description="rows of mean weight a leaf needs: about 160 independent labels at 30 minutes")
    subsample: float = 0.5
    colsample_bytree: float = 0.5
    reg_lambda: float = 10.0
    max_bin: int = Field(63, description="histogram bins a feature, as LightGBM's")
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    max_rounds: int = 400
    early_stopping_rounds: int = 20
    threads: int = Field(2, description="threads of one training")
    seed: int = 7


class RandomForestSettings(BaseModel):
    n_estimators: int = Field(100, ge=1, description="trees a head; the mean of 100 is steady, more only cost time")
    max_depth: int = Field(8, ge=1, description="the leaf share below stops most paths earlier")
    min_leaf_share: float = Field(
        0.01, gt=0, le=0.5, description="share of a tree's weight a leaf needs: of 27,000 independent labels it means 270"
    )
    max_features: float = Field(
        0.2, gt=0, le=1, description="share of the features a split may choose from: 24 of 120, as few of them tell anything"
    )
    max_samples: int = Field(
        30_000,
        ge=1,
        description="rows a tree draws: about one for each independent label of five years at 30 minutes. 200 trees take "
        "200 CPU s so",
    )
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    threads: int = Field(2, description="threads of one training; results do not depend on it")
    seed: int = 7


class LinearSettings(BaseModel):
    winsor: float = Field(0.005, ge=0, lt=0.5, description="share of the fit rows at each end that an input is cut to")
    penalties: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
        min_length=1,
        description="L2 penalties on standardised inputs per unit of weight, of which the validation segment chooses: 120 inputs "
        "that explain 0.2 % in 27,000 independent labels ask for about 2",
    )
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    max_passes: int = Field(100, ge=1, description="passes over the fit rows after which the direction head stops")
    tolerance: float = Field(1e-6, gt=0, description="largest change of a coefficient at which the direction head has converged")


class LstmSettings(BaseModel):
    sequence: int = Field(60, ge=2, description="bars of one trading day, without a gap, that a forecast looks at")
    hidden: int = Field(32, ge=1, description="units of the layer: 20,000 weights for 27,000 independent labels")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of the units that each step of the fit leaves out")
    learning_rate: float = Field(0.001, gt=0)
    batch: int = Field(256, ge=1, description="sequences a step; of 60 x 125 floats they take 8 MB")
    max_epochs: int = Field(20, ge=1)
    patience: int = Field(3, ge=1, description="epochs without a lower validation loss after which the fit ends")
    max_fit_rows: int = Field(50_000, ge=1, description="rows an epoch learns from, evenly spread over the fit segment")
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    threads: int = Field(
        1, ge=1, description="threads of one training; on busy cores two took four times the CPU time, for their waiting"
    )
    seed: int = 7


FAMILIES = ("lightgbm", "xgboost", "random_forest", "linear", "lstm", "ensemble")
"""Families of models there are; each but the last is a module of `training.families`, which are too heavy to import here."""


def _of_the_known(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in FAMILIES]:
        raise ValueError(f"no model family {', '.join(unknown)}; known: {', '.join(FAMILIES)}")
    return names


Families = Annotated[tuple[str, ...], AfterValidator(_of_the_known)]

SEEDS_VOTE = {"xgboost": 0.4, "random_forest": 0.3, "lstm": 0.3}
"""The preset `seeds` of the ensemble's weights."""


class EnsembleSettings(BaseModel):
    members: Families = Field((), description="families that vote; empty: those of fixed weights, else all others")
    weights: Literal["calibration", "seeds"] | dict[str, Annotated[float, Field(gt=0)]] = Field(
        "calibration", description="fitted on the calibration segment, the preset 'seeds', or a weight for each member"
    )
    shrinkage: float = Field(10.0, gt=0, description="pull of fitted weights towards equal ones, in effective labels")

    @model_validator(mode="after")
    def _all_weighed(self) -> Self:
        if "ensemble" in self.members:
            raise ValueError("an ensemble is no member of itself")
        _of_the_known(tuple(self.fixed or ()))
        if self.fixed and self.members and set(self.fixed) != set(self.members):
            raise ValueError(f"members {', '.join(self.members)} and weights of {', '.join(self.fixed)} are not the same")
        return self

    @property
    def fixed(self) -> dict[str, float] | None:
        """Weights that are not fitted, by family."""
        if isinstance(self.weights, dict):
            return self.weights
        return SEEDS_VOTE if self.weights == "seeds" else None


class ModelSettings(BaseModel):
    scopes: dict[str, list[str]] = Field(
        {"spx500": ["SPX500_USD"]}, description="named lists of instruments a model learns together"
    )
    families: Families = ("lightgbm", "xgboost", "linear")
    features: dict[str, tuple[str, ...]] = Field(
        {}, description="families of features a forecaster learns from, by its name; all of the catalog's where it is not named"
    )
    training_weeks: int = Field(260, ge=2, description="weeks of history a model sees, its own included")
    no_edge: Literal["flag", "refuse"] = Field("flag", description="serve a model the gate refused with a flag, or answer 503")
    interval_level: float = Field(0.90, gt=0, lt=1)
    gate: GateSettings = GateSettings()
    lightgbm: LightGBMSettings = LightGBMSettings()
    xgboost: XGBoostSettings = XGBoostSettings()
    random_forest: RandomForestSettings = RandomForestSettings()
    linear: LinearSettings = LinearSettings()
    lstm: LstmSettings = LstmSettings()
    ensemble: EnsembleSettings = EnsembleSettings()

    @property
    def voters(self) -> tuple[str, ...]:
        """Families that vote in the ensemble."""
        others = tuple(family for family in self.families if family != "ensemble")
        return self.ensemble.members or tuple(self.ensemble.fixed or others)


class TuningSettings(BaseModel):
    storage: str = Field("", description="Optuna storage that several workers may share, any URL; empty for SQLite in the home")
    broad_trials: int = Field(20, ge=1, description="finished trials over the whole search space")
    narrow_trials: int = Field(30, ge=0, description="finished trials in the space narrowed around the best of those")
    narrow_share: float = Field(1 / 3, gt=0, lt=1, description="width of a narrowed range, as a share of the whole")
    seconds: float | None = Field(None, gt=0, description="no trial starts later than this after the first; unset: no limit")
    objective: Literal["validation", "folds"] = Field(
        "validation", description="judge a trial on the validation segment, or on purged expanding folds of fit and validation"
    )
    folds: int = Field(4, ge=2, description="folds of that objective; each trial then takes about that many times as long")
    return_weight: float = Field(
        0.0,
        ge=0,
        description="weight of the return head's squared error, as a share of zero's, beside the direction head's log loss; "
        "at 0, as "
        "the gate asks for direction, most trials need not fit it",
    )
    pruner: Literal["median", "halving", "none"] = Field("median", description="how a trial that falls behind is given up early")
    grace_s: int = Field(
        60, ge=2, description="silence after which the trial of another worker counts as killed and is run again"
    )
    seed: int = 7


class ServingSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = 8000
    max_bar_age_s: int = Field(300, description="oldest bar a live forecast may start from, seconds")
    signal_threshold: float = Field(0.6, ge=0.5, le=1, description="confidence from which the signal is buy or sell")
    poll_s: float = Field(1.0, description="how often the model store and the lake are looked at for something new")


class MlflowSettings(BaseModel):
    tracking_uri: str = Field("", description="MLflow server or store; empty for SQLite in the home")
    experiment: str = "spx-assets"


class Settings(BaseSettings):
    """All settings of one home. Build it with `load()`; tests may pass values directly."""

    model_config = SettingsConfigDict(env_prefix="SPX_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".spx")
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
    mlflow: MlflowSettings = MlflowSettings()

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
        f"SPX_{'__'.join(str(part) for part in problem['loc']).upper()}={problem['input']!r}: {problem['msg']}"
        if problem["loc"]
        else problem["msg"]
        for problem in error.errors()
    )
