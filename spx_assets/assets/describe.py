"""How each asset presents itself: partitions, owners, kinds, group, table schema, column lineage, look-back in words.

Belongs here: policies mapped over asset specs. Does not: asset bodies.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import dagster as dg

from spx_assets.assets import news_feeds
from spx_assets.assets.graph import offsets, table_of
from spx_assets.features import catalog
from spx_assets.lake.news_tables import NEWS as NEWS_TABLE
from spx_assets.lake.news_tables import NEWS_SENTIMENT
from spx_assets.lake.tables import Table, table
from spx_assets.news import code
from spx_assets.settings import Settings

OWNERS = {"bronze": "team:data", "silver": "team:data", "gold": "team:data", "models": "team:models", "monitoring": "team:models"}
KINDS = {
    "bronze": {"duckdb", "bronze"},
    "silver": {"duckdb", "silver"},
    "gold": {"duckdb", "gold"},
    "models": {"onnx"},
    "monitoring": {"duckdb", "monitoring"},
}

# Raised by hand when what the code behind an asset computes changes: every week made by the older number is stale.
# Features and news have no number here: the sources that make them are hashed (`features.catalog`, `news.code`).
CODE = {
    "bronze/candles": 1,
    "bronze/news_feeds": 1,
    "gold/labels": 1,
    "gold/forecasts": 2,
    "gold/forecast_scores": 2,
    "models": 2,
    "monitoring/data_quality": 1,
    "monitoring/feature_drift": 2,
    "monitoring/target_drift": 2,
    "monitoring/prediction_drift": 2,
    "monitoring/performance": 1,
    "monitoring/reports": 1,
    "monitoring/news_drift": 2,
    "monitoring/costs": 1,
    "champion": 1,
}
DAILY, SENTIMENT = "daily_bars.", "news_sentiment."
NEWS, COSTS = dg.AssetKey(["bronze", "news"]), dg.AssetKey(["monitoring", "costs"])
FORECASTS = dg.AssetKey(["gold", "forecasts"])
TEXT = ("title", "body")


def described(spec: dg.AssetSpec, settings: Settings, weeks: dg.PartitionsDefinition[str]) -> dg.AssetSpec:
    """The spec with everything that is a policy of its layer rather than of the asset."""
    layer = spec.key.path[0]
    contract = table(table_of(spec.key))
    spec = spec.replace_attributes(
        partitions_def=None if spec.key == news_feeds.KEY else weeks,
        group_name=layer,
        owners=[OWNERS[layer]],
        kinds=_kinds(spec.key),
        code_version=code_version(spec.key, settings),
        description=f"{spec.description}\n\n{look_back_in_words(spec)}",
    )
    metadata: dict[str, Any] = {"dagster/table_name": contract.name, "dagster/column_schema": column_schema(contract)}
    lineage = column_lineage(spec.key)
    if lineage is not None:
        metadata["dagster/column_lineage"] = lineage
    if layer in ("models", "monitoring") or spec.key == FORECASTS:
        metadata["dashboard"] = dg.MetadataValue.url(settings.links.dashboard)
    if layer == "models":
        metadata["mlflow"] = dg.MetadataValue.url(settings.links.mlflow)
    return spec.merge_attributes(metadata=metadata)


def _kinds(key: dg.AssetKey) -> set[str]:
    """Tags of the layer; a family is a kind of its own."""
    if key.path[0] != "models":
        return KINDS[key.path[0]]
    return {"mlflow"} if key.path[-1] == "champion" else {key.path[-1], *KINDS["models"]}


def look_back_in_words(spec: dg.AssetSpec) -> str:
    """One sentence on which weeks of which inputs the asset reads."""
    parts = []
    weekly = [dep for dep in spec.deps if dep.asset_key != news_feeds.KEY]
    for dep in sorted(weekly, key=lambda dep: dep.asset_key.to_user_string()):
        first, last = offsets(dep.partition_mapping)
        name = dep.asset_key.to_user_string()
        if (first, last) == (0, 0):
            parts.append(f"the same week of {name}")
        elif last < 0:
            parts.append(f"the {-first} weeks before of {name}")
        else:
            parts.append(
                f"the same week and the {-first} before of {name}"
                if first < -1
                else f"the same week and the one before of {name}"
            )
    sources = {
        NEWS: "the landed articles of every provider",
        news_feeds.KEY: "the live news providers and the drop folder",
        COSTS: "the calls the home has counted and Dagster's runs",
    }
    return f"Reads {', '.join(parts) or sources.get(spec.key, 'the sources the instruments are bound to')}."


def column_schema(contract: Table) -> dg.TableSchema:
    """The table contract as Dagster shows it."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                description=f"{column.description}{f' [{column.unit}]' if column.unit else ''}",
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in contract.columns
        ]
    )


def column_lineage(key: dg.AssetKey) -> dg.TableColumnLineage | None:
    """Which columns each column is computed from, as the feature catalog says; None where the catalog does not speak."""
    candles, daily = dg.AssetKey(["bronze", "candles"]), dg.AssetKey(["silver", "daily_bars"])
    if key.path[0] == "silver" and key.path[1] in catalog.MARKET_FAMILIES:
        deps = {
            feature.name: [
                dg.TableColumnDep(daily if column.startswith(DAILY) else candles, column.removeprefix(DAILY))
                for column in feature.inputs
            ]
            for feature in catalog.family(key.path[1])
        }
        return dg.TableColumnLineage(deps)
    if key.path == ["gold", "market_features"]:
        return dg.TableColumnLineage(
            {f.name: [dg.TableColumnDep(dg.AssetKey(["silver", f.family]), f.name)] for f in catalog.market_inputs()}
        )
    if key.path == ["gold", "news_signals"]:
        sentiment = dg.AssetKey(["silver", "news_sentiment"])
        return dg.TableColumnLineage(
            {
                f.name: [dg.TableColumnDep(sentiment, column.removeprefix(SENTIMENT)) for column in f.inputs]
                for f in catalog.family(catalog.NEWS)
            }
        )
    if key.path == ["silver", "news_sentiment"]:
        own = {column.name: (column.name,) for column in NEWS_SENTIMENT.columns if column.name in NEWS_TABLE.schema()}
        heard = {column.name: TEXT for column in NEWS_SENTIMENT.columns if column.name not in {*own, "instrument", "model_id"}}
        told = {**own, **heard}
        return dg.TableColumnLineage({name: [dg.TableColumnDep(NEWS, of) for of in columns] for name, columns in told.items()})
    return None


def code_version(key: dg.AssetKey, settings: Settings) -> str:
    """Changes when the definition of what the asset computes does, and marks its weeks stale.

    Features and news: hashes of their sources. Everything else: its number in `CODE` and the settings that change its result.
    """
    path = list(key.path)
    if path[0] == "models":
        return _champion_version(settings) if path[-1] == "champion" else _family_version(*path[1:], settings=settings)
    if path == ["bronze", "news"]:
        return code.articles()
    if path == ["silver", "news_sentiment"]:
        return _sentiment_version(settings)
    if path == ["gold", "news_signals"]:
        return catalog.code_version(catalog.NEWS)
    if path[0] == "silver" or path == ["gold", "market_features"]:
        return f"{catalog.code_version(path[1])}-{settings.lookback_days}"
    number = str(CODE[key.to_user_string()])
    if path[0] == "monitoring":
        return f"{number}-{_digest(_rules(path[1], settings))}"
    if path == ["gold", "labels"]:
        return "-".join(str(part) for part in (number, *settings.labels.horizons, settings.labels.tolerance_min))
    return number


def _rules(name: str, settings: Settings) -> str:
    """The thresholds a measure is judged by."""
    rules = settings.monitoring
    chosen = {"data_quality": rules.quality, "performance": rules.performance, "costs": settings.costs}.get(name, rules.drift)
    return chosen.model_dump_json()


def _sentiment_version(settings: Settings) -> str:
    """The model by its name, and what counts as relevant. The model's files are part of the weeks' fingerprints."""
    return f"{code.sentiment()}-{_digest((settings.news.model, settings.news.relevance))}"


def _family_version(name: str, family: str, *, settings: Settings) -> str:
    """What a training depends on besides its rows. The number of threads is left out: it changes no result."""
    scope, horizon = next((scope, horizon) for known, scope, horizon in settings.model_names if known == name)
    models = settings.models
    learner = getattr(models, family).model_dump_json(exclude={"threads"})
    facts = (learner, models.scopes[scope], horizon, models.training_weeks, models.interval_level, models.features.get(name))
    return f"{CODE['models']}-{_digest(facts)}"


def _champion_version(settings: Settings) -> str:
    """The gate's rules, parity apart: that is a rule of the export."""
    return f"{CODE['champion']}-{_digest(settings.models.gate.model_dump_json(exclude={'parity'}))}"


def _digest(facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def pictures(files: Mapping[str, bytes]) -> dict[str, dg.MetadataValue[str]]:
    """PNG files inside the page by name: 5 to 30 KB each, which the event log keeps."""
    return {
        name: dg.MetadataValue.md(f"![{name}](data:image/png;base64,{b64encode(png).decode()})") for name, png in files.items()
    }
