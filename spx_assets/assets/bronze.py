"""Bronze: what the bound sources say, checked row by row.

Belongs here: assets that read sources. Does not: parsing, quality rules.
"""

import dagster as dg

from spx_assets.assets.io import weeks_of
from spx_assets.lake import Chunks, Lake
from spx_assets.settings import Settings
from spx_assets.sources import official


@dg.asset(key=["bronze", "candles"])
def candles(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> Chunks:
    """One-minute candles of every bound instrument; rows that are not candles go to bronze.quarantine with a reason."""
    return official.by_week(Lake.open(settings), weeks_of(context))
