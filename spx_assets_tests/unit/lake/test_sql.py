"""`spx sql`: reading and COPY ... TO, nothing else."""

from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake import Lake, sql
from spx_assets.lake.errors import LakeMissingError, StatementError
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.unit.lake.rows import lake_at


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    home = tmp_path_factory.mktemp("home")
    writer = lake_at(home)
    lakes.replace(writer, lakes.WEEKS[:2])
    return Lake.open(writer.settings, read_only=True)


@pytest.mark.parametrize(
    "text",
    [
        "select count(*) from bronze.candles",
        "FROM bronze.candles SELECT count(*)",
        "with a as (select 'delete from x; attach' as b) select 240 from a",
        "select 1; select count(*) from bronze.candles",
        "-- attach 'x'\nselect /* set a = 1 */ count(*) from bronze.candles",
    ],
)
def test_reading_statements_give_their_rows(lake: Lake, text: str) -> None:
    assert sql.run(lake, text).row(0) == (240,)


@pytest.mark.parametrize(
    "text", ["describe bronze.candles", "explain select 1", "summarize bronze.candles", "from lake.snapshots()"]
)
def test_describing_statements_are_let_through(lake: Lake, text: str) -> None:
    assert not sql.run(lake, text).is_empty()


@pytest.mark.parametrize("text", ["show tables", "-- which?\nSHOW  TABLES;"])
def test_show_tables_names_every_table_with_its_layer(lake: Lake, text: str) -> None:
    assert {"bronze.candles", "bronze.candles_partitions"} <= set(sql.run(lake, text)["name"])


def test_copy_to_writes_a_file(lake: Lake, tmp_path: Path) -> None:
    sql.run(lake, f"COPY (SELECT ts, close FROM bronze.candles) TO '{tmp_path}/out.parquet'")
    assert pl.read_parquet(tmp_path / "out.parquet").shape == (240, 2)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("delete from bronze.candles", "DELETE"),
        ("update bronze.candles set close = 1", "UPDATE"),
        ("insert into bronze.candles select * from bronze.candles", "INSERT"),
        ("drop table bronze.candles", "DROP"),
        ("create table bronze.x as select 1", "CREATE"),
        ("alter table bronze.candles drop column close", "ALTER"),
        ("attach 'x.duckdb'", "ATTACH"),
        ("detach lake", "DETACH"),
        ("install httpfs", "LOAD"),
        ("load httpfs", "LOAD"),
        ("set memory_limit = '99GB'", "SET"),
        ("pragma threads = 9", "SET"),
        ("use memory", "SET"),
        ("call lake.set_option('parquet_compression', 'zstd')", "CALL"),
        ("begin", "TRANSACTION"),
        ("copy bronze.candles from 'x.parquet'", "COPY ... FROM"),
        ("copy bronze.candles(ts, close) from 'to.csv'", "COPY ... FROM"),
        ("copy from database lake to memory", "is not a reading statement"),
        ("export database 'x'", "EXPORT"),
        ("explain analyze delete from bronze.candles", "DELETE"),
        ("select 1; delete from bronze.candles", "DELETE"),
        ("from ducklake_cleanup_old_files('lake', cleanup_all => true)", r"cleanup_old_files\(\)"),
        ("select * from \"ducklake_delete_orphaned_files\" ('lake', cleanup_all => true)", r"delete_orphaned_files\(\)"),
        ("copy (from lake.expire_snapshots(older_than => now())) to 'x.csv'", r"expire_snapshots\(\)"),
        ("select * from query('select 1')", r"query\(\)"),
        ("", "nothing to run"),
        ("selec 1", "syntax error"),
        ("select * from bronze.nothing", "nothing does not exist"),
    ],
)
def test_anything_else_is_refused_by_name(lake: Lake, text: str, named: str) -> None:
    with pytest.raises(StatementError, match=named):
        sql.run(lake, text)
    assert lake.count("bronze.candles") == 240


def test_a_home_without_a_lake_is_a_typed_error_and_stays_without_one(tmp_path: Path) -> None:
    with pytest.raises(LakeMissingError, match=r"no lake at .*spx demo"):
        Lake.open(Settings(home=tmp_path / "empty"), read_only=True)
    assert not (tmp_path / "empty").exists()
