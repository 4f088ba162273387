"""The graph as promised: every asset, its inputs and their look-back, its policies."""

import dagster as dg
import pytest

from spx_assets.assets.graph import asset_name, node, offsets
from spx_assets.build import build_defs
from spx_assets.settings import Settings

GOLD_WINDOW = (-259, 0)
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
    "gold/labels": {"bronze/candles": (0, 0)},
    "gold/forecasts": {
        "gold/market_features": (0, 0),
        "models/spx500_h30/lightgbm": (-520, -1),
        "models/spx500_h60/lightgbm": (-520, -1),
    },
    "models/spx500_h30/lightgbm": {"gold/market_features": GOLD_WINDOW, "gold/labels": GOLD_WINDOW},
    "models/spx500_h60/lightgbm": {"gold/market_features": GOLD_WINDOW, "gold/labels": GOLD_WINDOW},
    "models/spx500_h30/champion": {"models/spx500_h30/lightgbm": (0, 0)},
    "models/spx500_h60/champion": {"models/spx500_h60/lightgbm": (0, 0)},
}


@pytest.fixture
def defs(settings: Settings) -> dg.Definitions:
    return build_defs(settings)


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
    weeks = {graph.get(key).partitions_def for key in graph.materializable_asset_keys}
    assert len(weeks) == 1
    (trading_weeks,) = weeks
    assert isinstance(trading_weeks, dg.WeeklyPartitionsDefinition)
    window = trading_weeks.time_window_for_partition_key("2018-03-04")
    assert (window.start.isoformat(), window.end.isoformat()) == ("2018-03-04T17:00:00-05:00", "2018-03-11T17:00:00-04:00")
    assert trading_weeks.get_first_partition_key() == "2010-01-03"


def test_lake_assets_backfill_in_one_run_and_models_one_run_a_week(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        policy = graph.get(key).backfill_policy
        if key.path[0] == "models":
            assert policy == dg.BackfillPolicy.multi_run(max_partitions_per_run=1), asset_name(key)
        else:
            assert policy == dg.BackfillPolicy.single_run(), asset_name(key)


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
    timeframes = graph.get(dg.AssetKey(["silver", "timeframes"])).description or ""
    assert (
        "Reads the same week and the one before of bronze/candles, the same week and the 60 before of silver/daily_bars."
        in timeframes
    )


def test_column_lineage_leads_from_a_model_input_to_the_candles(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    gold = graph.get(dg.AssetKey(["gold", "market_features"])).metadata["dagster/column_lineage"]
    (dep,) = gold.deps_by_column["rsi_14"]
    assert dep == dg.TableColumnDep(dg.AssetKey(["silver", "technical"]), "rsi_14")
    silver = graph.get(dep.asset_key).metadata["dagster/column_lineage"]
    assert silver.deps_by_column["rsi_14"] == [dg.TableColumnDep(dg.AssetKey(["bronze", "candles"]), "close")]


def test_lake_assets_have_a_blocking_contract_check(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    blocking = {asset_name(key.asset_key) for key in graph.asset_check_keys if key.name == "contract" and graph.get(key).blocking}
    assert blocking == {name for name in EXPECTED if not name.startswith("models/")}
    warning = {key.name for key in graph.asset_check_keys if not graph.get(key).blocking}
    assert warning == {"quarantine", "newest_day_present"}


def test_forecasts_are_not_stale_for_missing_model_weeks(defs: dg.Definitions) -> None:
    inputs = node(defs.resolve_asset_graph(), dg.AssetKey(["gold", "forecasts"])).inputs
    assert [upstream.asset for upstream in inputs] == ["gold/market_features"]
