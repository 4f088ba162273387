"""Data on s3, catalog in the home."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from spx_assets.lake import Lake, maintenance
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.s3 import Bucket, s3_bucket

__all__ = ["s3_bucket"]


def test_rows_live_in_the_bucket_and_are_replaced_read_and_merged_there(s3_bucket: Bucket, tmp_path: Path) -> None:
    lake = Lake.open(
        Settings(
            home=tmp_path,
            lake={
                "data": "s3://market/lake",
                "s3_endpoint": s3_bucket.endpoint,
                "s3_use_ssl": False,
                "s3_access_key_id": "key",
                "s3_secret_access_key": "secret",
                "keep_files_h": 1e-6,
            },
        )
    )
    lakes.replace(lake, lakes.WEEKS[:3])
    lakes.replace(lake, lakes.WEEKS[1:2], level=1.0)
    expected = pl.concat([lakes.candles([week], level=1.0 if i == 1 else 2500.0) for i, week in enumerate(lakes.WEEKS[:3])])
    assert lake.read("bronze.candles").equals(expected)
    assert lake.sql("SELECT count(*) FROM bronze.candles").item() == 360
    names = [name for name in s3_bucket.objects if name.startswith("market/lake/bronze/candles/spx-")]
    assert len(names) == 2
    assert not list(tmp_path.rglob("*.parquet"))
    maintenance.compact(lake, ["bronze.candles"])
    maintenance.delete_old_files(lake, older_than=timedelta(milliseconds=10))
    assert lake.read("bronze.candles").equals(expected)
    assert s3_bucket.unsigned == 0
