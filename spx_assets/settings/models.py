"""Settings of the forecasters: families, tuning and the gate.

Belongs here: names, types, defaults and what may not be said together. Does not: any behaviour that a setting switches.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator


class GateSettings(BaseModel):
    min_effective_obs: float = Field(200.0, description="effective observations out of time below which nothing is promoted")
    alpha: float = Field(0.05, gt=0, lt=1, description="one-sided level of every test of the gate")
    min_coverage: float = Field(0.95, description="share of rows a champion must be able to forecast")
    max_auc_gap: float = Field(0.25, description="AUC on the fit segment less that out of time; above it was learned by heart")
    max_missing_share: float = Field(0.10, description="share null out of time of what the fit segment knew of its inputs")
    max_training_s: float = Field(
        3600.0, description="longest reading and learning of a version that may be promoted, seconds; tuning is not counted"
    )
    max_latency_ms: float = Field(100.0, description="longest median time of one forecast, milliseconds")
    parity: float = Field(1e-5, description="largest difference allowed between the native model and its ONNX graph")


class LightGBMSettings(BaseModel):
    learning_rate: float = Field(
        0.1, description="a third of it takes three times as long and was no better on 6 simulated markets"
    )
    num_leaves: int = Field(8, description="leaves of a tree: interactions of two or three features, no more")
    min_child_samples: int = Field(5000, description="rows a leaf needs: about 160 independent labels at 30 minutes")
    feature_fraction: float = Field(0.5, description="share of the inputs that a tree sees")
    bagging_fraction: float = Field(0.5, description="share of the rows that a tree sees")
    lambda_l2: float = Field(10.0, description="L2 penalty of leaf values")
    max_bin: int = Field(63, description="histogram bins a feature; a quarter of the default's time and no worse on noisy rows")
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    max_rounds: int = Field(400, description="trees at most")
    early_stopping_rounds: int = Field(20, description="trees without a gain on validation rows after which training ends")
    threads: int = Field(2, description="threads of one training; results do not depend on it")
    seed: int = Field(7, description="what every random choice of a training draws from")


class XGBoostSettings(BaseModel):
    learning_rate: float = Field(0.1, description="as LightGBM's; the same rounds then mean the same")
    max_depth: int = Field(3, ge=1, description="questions on a path: 8 leaves, as LightGBM's, but every row is asked as many")
    min_child_rows: int = Field(5000, description="rows of mean weight a leaf needs: about 160 independent labels at 30 minutes")
    subsample: float = Field(0.5, description="share of the rows that a tree sees")
    colsample_bytree: float = Field(0.5, description="share of the inputs that a tree sees")
    reg_lambda: float = Field(10.0, description="L2 penalty of leaf values")
    max_bin: int = Field(63, description="histogram bins a feature, as LightGBM's")
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    max_rounds: int = Field(400, description="trees at most")
    early_stopping_rounds: int = Field(20, description="trees without a gain on validation rows after which training ends")
    threads: int = Field(2, description="threads of one training")
    seed: int = Field(7, description="what every random choice of a training draws from")


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
    seed: int = Field(7, description="what every random choice of a training draws from")


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
    learning_rate: float = Field(0.001, gt=0, description="step of Adam")
    batch: int = Field(256, ge=1, description="sequences a step; of 60 x 125 floats they take 8 MB")
    max_epochs: int = Field(20, ge=1, description="passes over the rows at most")
    patience: int = Field(3, ge=1, description="epochs without a lower validation loss after which the fit ends")
    max_fit_rows: int = Field(50_000, ge=1, description="rows an epoch learns from, evenly spread over the fit segment")
    target_clip: float = Field(4.0, description="standard deviations at which the return head's target is cut while fitting")
    threads: int = Field(
        1, ge=1, description="threads of one training; on busy cores two took four times the CPU time, for their waiting"
    )
    seed: int = Field(7, description="what every random choice of a training draws from")


FAMILIES = ("lightgbm", "xgboost", "random_forest", "linear", "lstm", "ensemble")
"""Families of models there are; each but the last is a module of `training.families`, which are too heavy to import here."""


def _of_the_known(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in FAMILIES]:
        raise ValueError(f"no model family {', '.join(unknown)}; known: {', '.join(FAMILIES)}")
    if len(set(names)) < len(names):
        raise ValueError("name each model family once")
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
    families: Families = Field(("lightgbm", "xgboost", "linear"), description="families that are trained")
    features: dict[str, tuple[str, ...]] = Field(
        {}, description="families of features a forecaster learns from, by its name; all of the catalog's where it is not named"
    )
    training_weeks: int = Field(260, ge=2, description="weeks of history a model sees, its own included")
    no_edge: Literal["flag", "refuse"] = Field("flag", description="serve a model the gate refused with a flag, or answer 503")
    interval_level: float = Field(0.90, gt=0, lt=1, description="share of outcomes that an interval is to hold")
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
    seed: int = Field(7, description="what every random choice of a training draws from")
