"""What lies in the lake against its records: found whether rows were changed through the catalog or behind it."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake import Lake, verify
from spx_assets.lake.tables import table
from spx_assets_tests import lakes

W1, W2, W3 = lakes.WEEKS[:3]
OTHER_ROWS = "its rows are not those its partition record hashed"


def problems(lake: Lake, *, reread: bool = False, clock: datetime | None = None) -> list[str | None]:
    """The problem of each of the first three weeks."""
    clocks = {"SPX500_USD": clock} if clock else None
    found = verify.report(lake, "bronze.candles", asset="bronze/candles", weeks=[W1, W2, W3], clocks=clocks, reread=reread)
    assert [verified.week for verified in found] == [W1, W2, W3]
    return [verified.problem for verified in found]


@pytest.fixture
def made(lake: Lake) -> Lake:
    """Three weeks of candles, made one after another."""
    lake.ensure("bronze.candles")
    for week in (W1, W2, W3):
        lakes.replace(lake, [week])
    return lake


@pytest.mark.parametrize("reread", [False, True])
def test_weeks_made_by_several_commits_are_what_their_records_say(made: Lake, reread: bool) -> None:
    assert problems(made, reread=reread) == [None, None, None]


def test_a_value_changed_by_somebody_else_is_found(made: Lake) -> None:
    made.sql("UPDATE lake.bronze.candles SET volume = 5 WHERE volume = 3 AND ts < '2019-01-10'")
    assert problems(made) == [OTHER_ROWS, None, None]


def test_a_week_made_again_after_such_a_change_is_sound_and_the_others_still_are_not(made: Lake) -> None:
    made.sql("UPDATE lake.bronze.candles SET volume = 5 WHERE volume = 3 AND ts < '2019-01-17'")
    lakes.replace(made, [W1])
    assert problems(made) == [None, OTHER_ROWS, None]


def delete(lake: Lake, which: str) -> None:
    """Delete the first or the last row: `min` or `max`."""
    lake.sql(f"DELETE FROM lake.bronze.candles WHERE ts = (SELECT {which}(ts) FROM lake.bronze.candles)")


def repeat(lake: Lake, which: str) -> None:
    """Insert the first or the last row once more."""
    same = f"SELECT * FROM lake.bronze.candles WHERE ts = (SELECT {which}(ts) FROM lake.bronze.candles)"
    lake.sql(f"INSERT INTO lake.bronze.candles {same}")


def test_rows_deleted_or_added_by_somebody_else_are_counted(made: Lake) -> None:
    delete(made, "min")
    repeat(made, "max")
    rows = len(lakes.candles([W3]))
    assert problems(made) == [
        f"{rows - 1} rows, its partition record says {rows}",
        None,
        f"{rows + 1} rows, its partition record says {rows}",
    ]


def test_a_row_put_in_the_place_of_another_breaks_the_key(made: Lake) -> None:
    delete(made, "min")
    repeat(made, "min")
    assert problems(made) == [OTHER_ROWS, None, None]


def test_a_row_after_the_feeds_clock_is_named_in_its_week_alone(made: Lake) -> None:
    last = lakes.candles([W3])["ts"].max()
    assert isinstance(last, datetime)
    first, second, third = problems(made, clock=last)
    assert (first, second) == (None, None)
    assert third is not None
    assert f"the row of SPX500_USD at {last} ends after its feed's clock" in third


def swapped(lake: Lake, rows: pl.DataFrame) -> None:
    """Put other rows into the file of the first week, which the catalog knows nothing of."""
    first, *_ = lake.listing(table("bronze.candles"), lake.snapshot()).files
    rows.write_parquet(first.path)


def test_a_file_that_lost_rows_or_repeats_them_is_found_though_the_catalog_is_content(made: Lake) -> None:
    rows = lakes.candles([W1])
    swapped(made, rows.head(100))
    assert problems(made) == [f"100 rows, its partition record says {len(rows)}", None, None]
    swapped(made, pl.concat([rows.head(1), rows.head(len(rows) - 1)]))
    first, *others = problems(made)
    assert first is not None
    assert "2 rows share a key" in first
    assert others == [None, None]


def test_a_file_that_is_gone_is_an_error(made: Lake) -> None:
    for file in made.listing(table("bronze.candles"), made.snapshot()).files:
        Path(file.path).unlink()
    with pytest.raises(OSError, match="parquet"):
        problems(made)


def test_values_changed_in_a_file_are_found_only_when_every_column_is_read_again(made: Lake) -> None:
    swapped(made, lakes.candles([W1]).with_columns(volume=pl.col("volume") + 1))
    assert problems(made) == [None, None, None]
    assert problems(made, reread=True) == [OTHER_ROWS, None, None]
