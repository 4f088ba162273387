"""Models: one asset a forecaster and family, and one that judges them.

Belongs here: declarations and what the UI shows of a version or a verdict. Does not: training, tests, promotion rules.

The training libraries are imported by the bodies: every process that loads the graph would else spend 3 CPU s on them.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import dagster as dg
from pydantic import Field

from spx_assets.assets import describe
from spx_assets.assets.graph import inputs_hash_of
from spx_assets.assets.mlflow_runs import MlflowRuns
from spx_assets.features.inputs import learns_from_news
from spx_assets.lake import Lake
from spx_assets.partitions import look_back, week_of_key
from spx_assets.settings import Settings

if TYPE_CHECKING:
    from spx_assets.training.tuning.results import TrialResult

Result: TypeAlias = "dg.MaterializeResult[None]"


class Training(dg.Config):
    """How a family is trained in one run."""

    tune: bool = Field(False, description="choose the parameters by trials first; an interrupted tuning is resumed")
    folds: int = Field(0, ge=0, description="purged expanding folds on which to cross-validate the parameters; 0 for none")
    seeds: int = Field(0, ge=0, description="seeds whose spread of every metric the report tells, from 2 on; 0 for none")


def family_key(name: str, family: str) -> dg.AssetKey:
    return dg.AssetKey(["models", name, family])


def champion_key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["models", name, "champion"])


def _week(context: dg.AssetExecutionContext) -> date:
    return week_of_key(context.partition_key)


def _pictures(folder: Path) -> dict[str, dg.MetadataValue[str]]:
    """The plots of a version."""
    return describe.pictures({plot.stem: plot.read_bytes() for plot in sorted(folder.glob("*.png"))})


def family_asset(name: str, family: str, settings: Settings) -> dg.AssetsDefinition:
    """The asset that trains `family` for the forecaster `name`, one run a week."""
    window = look_back(settings.models.training_weeks - 1)
    members = settings.models.voters if family == "ensemble" else ()
    tables = ("market_features", *(("news_signals",) if learns_from_news(settings, name) else ()), "labels")

    @dg.asset(
        key=family_key(name, family),
        deps=[
            *(dg.AssetDep(["gold", table], partition_mapping=window) for table in tables),
            *(family_key(name, member) for member in members),
        ],
        description=(
            f"{family} forecaster {name}: expected return and probability up. Sees the {settings.models.training_weeks} weeks "
            "up to its own: fit | validation | calibration | out-of-time, purged and embargoed."
        ),
        pool="training",
    )
    def trained(
        context: dg.AssetExecutionContext,
        config: Training,
        settings: dg.ResourceParam[Settings],
        mlflow: dg.ResourceParam[MlflowRuns],
    ) -> Result:
        from spx_assets.training import train

        def told(trial: "TrialResult") -> None:
            context.log.info(trial.words)
            log.trial(trial)

        with mlflow.run(context) as log:
            version = train.train(
                Lake.open(settings),
                settings,
                name=name,
                family=family,
                week=_week(context),
                run_id=context.run_id,
                inputs_hash=inputs_hash_of(context, settings),
                tune=config.tune,
                folds=config.folds,
                repeats=config.seeds,
                on_trial=told,
            )
            log.version(version)
            seen = {"mlflow_run": dg.MetadataValue.url(log.url)}
        return dg.MaterializeResult(metadata={**version.summary(), **seen, **_pictures(version.folder)})

    return trained


def champion_asset(name: str, families: tuple[str, ...]) -> dg.AssetsDefinition:
    """The asset that ranks the week's candidates, lets the first through the gate and, newest week only, moves what is served."""

    @dg.asset(
        key=champion_key(name),
        deps=[family_key(name, family) for family in families],
        description=(
            f"Verdict of the gate on the week's candidates of {name}: promoted, kept_champion or no_edge, with its numbers. "
            "Only the newest week moves what is served."
        ),
    )
    def champion(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> Result:
        from spx_assets.assets import registry
        from spx_assets.training import promotion

        lake = Lake.open(settings)
        decision = promotion.decide(
            lake,
            settings,
            name=name,
            week=_week(context),
            run_id=context.run_id,
            inputs_hash=inputs_hash_of(context, settings),
        )
        registry.sync(settings, lake, name=name)
        return dg.MaterializeResult(metadata=dict(decision.summary()))

    return champion


def model_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Every forecaster of the settings: its families and its champion."""
    assets = []
    for name, _, _ in settings.model_names:
        assets += [family_asset(name, family, settings) for family in settings.models.families]
        assets.append(champion_asset(name, settings.models.families))
    return assets
