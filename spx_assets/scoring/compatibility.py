"""Are a model's features those that are made now, and its feeds those in force.

Belongs here: the two rules, for whoever would give a model rows. Does not: what follows (a refusal in serving, no forecasts in a
walk-forward, no rivalry at the gate).

What was measured on a feed that another has replaced is no evidence of the rows that count now. A version that names no feed is
older than this rule and counts.
"""

from collections.abc import Mapping

import polars as pl

from spx_assets.features import catalog
from spx_assets.news import model_version
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings


def objection(manifest: Manifest, settings: Settings) -> str | None:
    """Why rows made by these settings are not what the model was trained on; None if they are."""
    made = {feature.name for feature in catalog.model_inputs()}
    if unknown := sorted(set(manifest.features) - made):
        return (
            f"{manifest.version} was trained on features {unknown} that are not in this version's catalog; train the model again"
        )
    if catalog.feature_set_hash(manifest.features) != manifest.feature_set_hash:
        return (
            f"{manifest.version} was trained on other feature definitions than this version's catalog and kernels; "
            "train the model again"
        )
    if manifest.lookback_days != settings.lookback_days:
        return (
            f"{manifest.version} was trained with a look-back of {manifest.lookback_days} trading days, SPX_LOOKBACK_DAYS is "
            f"{settings.lookback_days}; set it back or train the model again"
        )
    scorer = model_version.named(settings.news) if manifest.sentiment_model else None
    if manifest.sentiment_model != scorer:
        return (
            f"{manifest.version} was trained on news as {manifest.sentiment_model} scores them, SPX_NEWS__MODEL and its files "
            f"are {scorer}; set them back or train the model again"
        )
    return None


def rebound(version: str, feeds: Mapping[str, str], bound: Mapping[str, str]) -> str | None:
    """Why `version`, which learned from `feeds`, may not speak of instruments bound so (`bindings.in_force`); None if it may."""
    former = [name for name, feed in feeds.items() if bound.get(name, feed) != feed]
    if not former:
        return None
    return (
        f"{version} was trained on a feed of {', '.join(former)} that another has replaced since; "
        "train the model again with `spx train`"
    )


def of_former_feeds(versions: pl.DataFrame, bound: Mapping[str, str]) -> list[str]:
    """By the same rule, those of `models.versions` that do not count any more."""
    told = versions.select("version", "instruments", "feeds").drop_nulls()
    return [
        version
        for version, instruments, feeds in told.iter_rows()
        if any(bound.get(name, feed) != feed for name, feed in zip(instruments.split(","), feeds.split(","), strict=True) if feed)
    ]
