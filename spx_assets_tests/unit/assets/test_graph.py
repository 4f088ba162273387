"""The graph as promised: every asset, its inputs and their look-back, its policies."""

import dagster as dg
import pytest

from spx_assets.assets.describe import CODE, code_version
from spx_assets.assets.graph import asset_name, node, offsets, table_of
from spx_assets.build import build_defs
from spx_assets.features import catalog
from spx_assets.lake.tables import table
from spx_assets.news import code
from spx_assets.settings import GateSettings, LightGBMSettings, Settings

GOLD_WINDOW = (-259, 0)
TRAINED = [f"models/spx500_h{horizon}/{family}" for horizon in (30, 60) for family in ("lightgbm", "xgboost", "linear")]
LEARNED_FROM = ("gold/market_features", "gold/news_signals", "gold/labels")
POLLED = dg.AssetKey(["bronze", "news_feeds"])
EXPECTED = {
    "bronze/candles": {},
    "silver/returns": {"bronze/candles": (-1, 0)},
    "silver/technical": {"bronze/candles": (-1, 0)},
    "silver/volatility": {"bronze/candles": (-1, 0)},
    "silver/microstructure": {"bronze/candles": (-1, 0)},
    "silver/calendar": {"bronze/candles": (-1, 0)},
    "silver/daily_bars": {"bronze/candles": (0, 0)},
    "silver/timeframes": {"bronze/candles": (-1, 0), "silver/daily_bars": (-60, 0)},
    "gold/market_features": {
        f"silver/{family}": (0, 0)
        for family in ("returns", "technical", "volatility", "microstructure", "timeframes", "calendar")
    },
    "bronze/news_feeds": {},
    "bronze/news": {"bronze/news_feeds": (0, 0)},
    "silver/news_sentiment": {"bronze/news": (0, 0)},
    "gold/news_signals": {"bronze/candles": (0, 0), "silver/news_sentiment": (-1, 0)},
    "gold/labels": {"bronze/candles": (0, 0)},
    "gold/forecasts": {
        "gold/market_features": (-1, 0),
        "gold/news_signals": (-1, 0),
        "gold/labels": (-1, 0),
        **dict.fromkeys(TRAINED, (-520, -1)),
    },
    "gold/forecast_scores": {"gold/forecasts": (0, 0), "gold/labels": (0, 0)},
    **{name: dict.fromkeys(LEARNED_FROM, GOLD_WINDOW) for name in TRAINED},
    "monitoring/data_quality": {"gold/market_features": (-4, 0)},
    "monitoring/feature_drift": {"gold/market_features": (-1, 0), "gold/news_signals": (-1, 0)},
    "monitoring/target_drift": {"gold/labels": (-1, 0)},
    "monitoring/prediction_drift": {"gold/forecasts": (-1, 0)},
    "monitoring/performance": {"gold/labels": (0, 0)},
    "monitoring/costs": {},
    "monitoring/news_drift": {"silver/news_sentiment": (-12, 0)},
    "monitoring/reports": {"monitoring/feature_drift": (0, 0)},
    "models/spx500_h30/champion": {name: (0, 0) for name in TRAINED if "h30" in name},
    "models/spx500_h60/champion": {name: (0, 0) for name in TRAINED if "h60" in name},
}


@pytest.fixture
def defs(settings: Settings) -> dg.Definitions:
    return build_defs(settings)


def test_the_code_location_loads(defs: dg.Definitions) -> None:
    """Dagster finds two things of one name, an op and its job, only when it loads all of them."""
    dg.Definitions.validate_loadable(defs)


def test_the_graph_holds_exactly_the_promised_assets_and_look_backs(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    found = {
        asset_name(key): {
            asset_name(parent): offsets(graph.get(key).partition_mappings.get(parent)) for parent in graph.get(key).parent_keys
        }
        for key in graph.materializable_asset_keys
    }
    assert found == EXPECTED


def test_every_asset_is_partitioned_by_the_same_trading_weeks(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    weeks = {graph.get(key).partitions_def for key in graph.materializable_asset_keys - {POLLED}}
    assert len(weeks) == 1
    (trading_weeks,) = weeks
    assert isinstance(trading_weeks, dg.WeeklyPartitionsDefinition)
    window = trading_weeks.time_window_for_partition_key("2018-03-04")
    assert (window.start.isoformat(), window.end.isoformat()) == ("2018-03-04T17:00:00-05:00", "2018-03-11T17:00:00-04:00")
    assert trading_weeks.get_first_partition_key() == "2010-01-03"


def test_what_polls_has_no_weeks_and_makes_none_of_news_stale(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    assert graph.get(POLLED).partitions_def is None
    assert node(graph, dg.AssetKey(["bronze", "news"])).inputs == ()


def test_lake_assets_backfill_in_one_run_and_models_one_run_a_week(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys - {POLLED}:
        policy = graph.get(key).backfill_policy
        if key.path[0] == "models":
            assert policy == dg.BackfillPolicy.multi_run(max_partitions_per_run=1), asset_name(key)
        else:
            assert policy == dg.BackfillPolicy.single_run(), asset_name(key)


DASHBOARD = {"dashboard": "http://127.0.0.1:8000"}
LINKS = {"models": DASHBOARD | {"mlflow": "http://127.0.0.1:5001"}, "monitoring": DASHBOARD}


def test_every_asset_tells_its_schema_owner_kind_group_and_look_back(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        spec = graph.get(key)
        assert spec.group_name == key.path[0]
        assert spec.owners
        assert spec.kinds
        assert spec.code_version
        assert "Reads " in (spec.description or "")
        assert spec.metadata["dagster/column_schema"].columns, asset_name(key)
        links = {name: value.url for name, value in spec.metadata.items() if isinstance(value, dg.UrlMetadataValue)}
        assert links == LINKS.get(key.path[0], {}) | (DASHBOARD if asset_name(key) == "gold/forecasts" else {})
    timeframes = graph.get(dg.AssetKey(["silver", "timeframes"])).description or ""
    assert (
        "Reads the same week and the one before of bronze/candles, the same week and the 60 before of silver/daily_bars."
        in timeframes
    )


def test_every_job_schedule_and_sensor_says_what_it_does(defs: dg.Definitions) -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    for each in (*jobs, *repository.schedule_defs, *repository.sensor_defs):
        assert each.description, each.name


def test_column_lineage_leads_from_a_model_input_to_the_candles(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    gold = graph.get(dg.AssetKey(["gold", "market_features"])).metadata["dagster/column_lineage"]
    (dep,) = gold.deps_by_column["rsi_14"]
    assert dep == dg.TableColumnDep(dg.AssetKey(["silver", "technical"]), "rsi_14")
    silver = graph.get(dep.asset_key).metadata["dagster/column_lineage"]
    assert silver.deps_by_column["rsi_14"] == [dg.TableColumnDep(dg.AssetKey(["bronze", "candles"]), "close")]


def test_daily_features_lead_to_daily_bars(defs: dg.Definitions) -> None:
    timeframes = defs.resolve_asset_graph().get(dg.AssetKey(["silver", "timeframes"])).metadata["dagster/column_lineage"]
    daily = dg.TableColumnDep(dg.AssetKey(["silver", "daily_bars"]), "close")
    assert [name for name, deps in timeframes.deps_by_column.items() if daily in deps]


def test_signals_lead_to_the_sentiment_of_articles(defs: dg.Definitions) -> None:
    signals = defs.resolve_asset_graph().get(dg.AssetKey(["gold", "news_signals"])).metadata["dagster/column_lineage"]
    sentiment = dg.AssetKey(["silver", "news_sentiment"])
    assert signals.deps_by_column["signal_strength"] == [
        dg.TableColumnDep(sentiment, "confidence"),
        dg.TableColumnDep(sentiment, "score"),
    ]


def test_every_column_of_the_lineage_is_one_of_its_table(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    told = 0
    for key in graph.materializable_asset_keys:
        lineage = graph.get(key).metadata.get("dagster/column_lineage")
        for column, deps in lineage.deps_by_column.items() if lineage else ():
            assert column in table(table_of(key)).schema(), (asset_name(key), column)
            for dep in deps:
                assert dep.column_name in table(table_of(dep.asset_key)).schema(), (asset_name(key), column, dep)
                assert dep.asset_key in graph.get(key).parent_keys, (asset_name(key), column, dep)
                told += 1
    assert told > 200


def changed(settings: Settings, **models: object) -> Settings:
    return settings.model_copy(update={"models": settings.models.model_copy(update=models)})


def versions(settings: Settings) -> dict[str, str]:
    return {name: code_version(dg.AssetKey(name.split("/")), settings) for name in EXPECTED}


@pytest.mark.parametrize(
    ("field", "value", "stale"),
    [
        ("lightgbm", LightGBMSettings(num_leaves=9), [name for name in TRAINED if "lightgbm" in name]),
        ("lightgbm", LightGBMSettings(threads=1), []),
        ("training_weeks", 52, TRAINED),
        ("interval_level", 0.8, TRAINED),
        ("features", {"spx500_h60": ("returns",)}, [name for name in TRAINED if "h60" in name]),
        ("scopes", {"spx500": ["SPX500_USD", "NAS100_USD"]}, TRAINED),
        ("gate", GateSettings(alpha=0.01), ["models/spx500_h30/champion", "models/spx500_h60/champion"]),
        ("gate", GateSettings(parity=1e-6), []),
        ("no_edge", "refuse", []),
    ],
)
def test_model_weeks_are_stale_after_a_change_of_what_made_them(
    settings: Settings, field: str, value: object, stale: list[str]
) -> None:
    before, after = versions(settings), versions(changed(settings, **{field: value}))
    assert {name for name in EXPECTED if before[name] != after[name]} == set(stale)


@pytest.mark.parametrize(
    ("number", "stale"),
    [
        ("gold/labels", {"gold/labels"}),
        ("gold/forecasts", {"gold/forecasts"}),
        ("gold/forecast_scores", {"gold/forecast_scores"}),
        ("bronze/candles", {"bronze/candles"}),
        ("models", set(TRAINED)),
        ("champion", {"models/spx500_h30/champion", "models/spx500_h60/champion"}),
    ],
)
def test_the_number_of_a_code_makes_its_own_weeks_stale(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, number: str, stale: set[str]
) -> None:
    before = versions(settings)
    monkeypatch.setitem(CODE, number, 99)
    assert {name for name, version in versions(settings).items() if version != before[name]} == stale


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("identity", {"bronze/news", "gold/news_signals"}),
        ("lexicon", {"bronze/news", "silver/news_sentiment", "gold/news_signals"}),
        ("tone", {"silver/news_sentiment", "gold/news_signals"}),
        ("signals", {"gold/news_signals"}),
    ],
)
def test_other_sources_of_news_make_the_weeks_stale_that_were_made_of_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, module: str, stale: set[str]
) -> None:
    before, source = versions(settings), catalog.without_wording
    monkeypatch.setattr(catalog, "code_version", catalog.code_version.__wrapped__)
    monkeypatch.setattr(catalog, "without_wording", lambda path: source(path) + ("#" if path.stem == module else ""))
    assert {name for name, version in versions(settings).items() if version != before[name]} == stale


def test_no_signals_are_fresh_beside_articles_or_sentiment_of_older_sources() -> None:
    assert {*code._ARTICLES, *code._SENTIMENT, "signals"} >= set(catalog._OF_ARTICLES)


def test_lake_assets_have_a_blocking_contract_check(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    blocking = {asset_name(key.asset_key) for key in graph.asset_check_keys if key.name == "contract" and graph.get(key).blocking}
    assert blocking == {name for name in EXPECTED if not name.startswith("models/")} - {asset_name(POLLED)}
    warning = {key.name for key in graph.asset_check_keys if not graph.get(key).blocking}
    assert warning == {"quarantine", "newest_day_present", "heard"}


def test_forecasts_are_not_stale_for_missing_model_weeks(defs: dg.Definitions) -> None:
    inputs = node(defs.resolve_asset_graph(), dg.AssetKey(["gold", "forecasts"])).inputs
    assert [upstream.asset for upstream in inputs] == ["gold/labels", "gold/market_features", "gold/news_signals"]


def test_only_forecasters_with_news_among_their_families_wait_for_news(settings: Settings) -> None:
    def upstream(features: dict[str, tuple[str, ...]], name: str) -> set[str]:
        graph = build_defs(changed(settings, features=features)).resolve_asset_graph()
        return {asset_name(key) for key in graph.get(dg.AssetKey(name.split("/"))).parent_keys}

    market = {"spx500_h30": tuple(catalog.MARKET_FAMILIES)}
    assert "gold/news_signals" not in upstream(market, "models/spx500_h30/linear")
    assert "gold/news_signals" in upstream(market, "models/spx500_h60/linear")
    assert "gold/news_signals" in upstream(market, "gold/forecasts")
    nowhere = {**market, "spx500_h60": ("returns",)}
    assert "gold/news_signals" not in upstream(nowhere, "gold/forecasts")


def test_an_ensemble_waits_for_its_members_of_the_same_week(settings: Settings) -> None:
    families = ("ensemble", "linear", "lightgbm")
    voting = settings.model_copy(update={"models": settings.models.model_copy(update={"families": families})})
    graph = build_defs(voting).resolve_asset_graph()
    found = graph.get(dg.AssetKey(["models", "spx500_h30", "ensemble"]))
    assert {asset_name(key): offsets(found.partition_mappings.get(key)) for key in found.parent_keys} == {
        **dict.fromkeys(LEARNED_FROM, GOLD_WINDOW),
        "models/spx500_h30/linear": (0, 0),
        "models/spx500_h30/lightgbm": (0, 0),
    }
