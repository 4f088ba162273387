"""Staged files: what is written is what polars and the catalog read, and nothing of it stays when it is discarded."""

from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake import staging
from spx_assets.lake.buffers import Buffers
from spx_assets.lake.location import Location
from spx_assets.lake.tables import CANDLES
from spx_assets.settings import Settings
from spx_assets_tests import lakes

ONE, TWO, THREE, FOUR = (lakes.candles([week]) for week in lakes.WEEKS[:4])


def written(folder: Path, *frames: pl.DataFrame) -> list[pl.DataFrame]:
    """The files that chunks are staged in."""
    files = staging.Staging(Location.of(Settings(home=folder)), CANDLES)
    for frame in frames:
        files.add(Buffers(frame.select(list(CANDLES.schema()))))
    return [pl.read_parquet(path).cast(pl.Schema(CANDLES.schema())) for path in files.finish()]


def test_chunks_share_a_file_up_to_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [file.equals(pl.concat([ONE, TWO, THREE])) for file in written(tmp_path, ONE, TWO, THREE)] == [True]
    monkeypatch.setattr(staging, "FILE_BYTES", 2 * ONE.to_arrow(compat_level=pl.CompatLevel.oldest()).nbytes)
    files = written(tmp_path, ONE, TWO, THREE)
    assert [file.equals(rows) for file, rows in zip(files, (pl.concat([ONE, TWO]), THREE), strict=True)] == [True, True]


def test_a_column_that_was_known_so_far_takes_its_first_null_in_a_new_file(tmp_path: Path) -> None:
    known = [frame.with_columns(bid_close=pl.col("close")) for frame in (ONE, TWO, FOUR)]
    unknown = known[2].with_columns(bid_close=pl.when(pl.col("volume") > 5).then("bid_close"))
    assert 0 < unknown["bid_close"].null_count() < unknown.height
    files = written(tmp_path, known[0], known[1], unknown, known[2])
    expected = pl.concat(known[:2]), pl.concat([unknown, known[2]])
    assert [file.equals(rows) for file, rows in zip(files, expected, strict=True)] == [True, True]


def test_a_text_that_was_the_same_in_every_row_may_differ_from_the_next_chunk_on(tmp_path: Path) -> None:
    two = TWO.with_columns(source=pl.when(pl.col("ts") > TWO["ts"][100]).then(pl.lit("another")).otherwise("source"))
    files = written(tmp_path, ONE, two, THREE)
    assert [file.equals(rows) for file, rows in zip(files, (ONE, two, THREE), strict=True)] == [True] * 3
    assert {pl.read_parquet_schema(path)["source"] for path in tmp_path.rglob("*.parquet")} == {pl.String()}


def test_discarded_files_are_gone_open_ones_too(tmp_path: Path) -> None:
    files = staging.Staging(Location.of(Settings(home=tmp_path)), CANDLES)
    files.add(Buffers(ONE))
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    files.discard()
    assert list(tmp_path.rglob("*.parquet")) == []
