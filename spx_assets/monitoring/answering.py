"""How the versions that are served now have come out.

Belongs here: which rows of `monitoring.performance` are theirs. Does not: making the rows (`performance`), who was served when
(`served`), what follows from a bad day (`alerts.findings`, `automation.events`).

Both read it here: what was replaced by a better version is no reason for an alert nor for a training.
"""

from collections.abc import Iterator

import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import PERFORMANCE
from spx_assets.scoring import current
from spx_assets.settings import Settings


def performance(lake: Lake, settings: Settings) -> Iterator[tuple[str, pl.DataFrame]]:
    """(forecaster, rows of the version it serves now, oldest first) of every forecaster that serves one."""
    rows = lake.read(PERFORMANCE)
    for name, _, _ in settings.model_names:
        state = current.read(settings.artifacts, name)
        served = current.served(state) if state else None
        if served is not None:
            own = (pl.col("model_name") == name) & (pl.col("version") == served[1])
            yield name, rows.filter(own).sort("trading_day")
