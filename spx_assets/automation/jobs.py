"""Jobs named for what people want.

Belongs here: asset selections under a name. Does not: schedules' times, backfill planning.
"""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from spx_assets.settings import Settings


def jobs(settings: Settings) -> list[UnresolvedAssetJobDefinition]:
    """`daily`: candles to gold for a week; `retrain`: every forecaster and its verdict for a week."""
    models = dg.AssetSelection.groups("models")
    return [
        dg.define_asset_job(
            "daily",
            selection=dg.AssetSelection.groups("bronze", "silver", "gold"),
            description="Candles, features, labels and forecasts of a week; run it again while the week is open.",
        ),
        dg.define_asset_job(
            "retrain", selection=models, description="Train every forecaster for a week and let the gate judge it."
        ),
    ]
