"""What the versions of a home are: their standing, their verdicts, the order in which the gate would take them.

Belongs here: joining `models.versions` with verdicts and `current.json`. Does not: judging, moving what is served
(`promotion`, `manual`), printing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.tables import PROMOTIONS, VERSIONS
from spx_assets.scoring import artifact
from spx_assets.scoring.current import Current
from spx_assets.settings import Settings
from spx_assets.training import gate, standing, versions
from spx_assets.training.errors import UnknownModelError

BEST = "best_model_selection.json"
"""Written beside the models; its fields are named as in the systems this one replaces, each metric beside its baseline."""


def listing(lake: Lake, settings: Settings, name: str | None = None) -> pl.DataFrame:
    """Every version of `name`, or of all forecasters: the columns of `models.versions` with `status` and `verdict`.

    Newest week first, in it the newest version. UnknownModelError if nothing was trained for `name`.
    """
    found = lake.read(VERSIONS.name)
    if name is not None:
        known = found["model_name"].unique().sort().to_list()
        found = found.filter(pl.col("model_name") == name)
        if found.is_empty():
            raise UnknownModelError(f"no version of {name!r} in this home; there are versions of {', '.join(known) or 'none'}")
    found = found.join(verdicts(lake), on="version", how="left")
    served = {model: standing.present(lake, settings, name=model) for model in found["model_name"].unique()}
    newest = pl.col("version") == pl.col("version").max().over("model_name", "family", "week")
    told = found.select("model_name", "version", pending=newest & pl.col("verdict").is_null()).rows()
    status = [_status(served[model], version, pending=pending) for model, version, pending in told]
    return (
        found.with_columns(status=pl.Series(status, dtype=pl.String))
        .sort("model_name", "week", "version", descending=[False, True, True])
        .select(*VERSIONS.schema(), "status", "verdict")
    )


def verdicts(lake: Lake) -> pl.DataFrame:
    """(version, verdict): what was last said of each version, a test before `not_entered`."""
    said = lake.read(PROMOTIONS.name, columns=["version", "verdict", "decided_at"])
    said = said.sort(pl.col("verdict") != "not_entered", "decided_at")
    return said.group_by("version", maintain_order=True).last().select("version", "verdict")


def best(lake: Lake, settings: Settings) -> pl.DataFrame:
    """The candidates of each forecaster's newest week in the order in which the gate takes them, with `rank` from 1.

    By log loss less that of the base rate on the calibration segment, who covers too few rows last: what is right or wrong
    out of time judges and never chooses.
    """
    told = versions.counting(lake, listing(lake, settings))
    newest = told.filter(pl.col("week") == pl.col("week").max().over("model_name"))
    newest = newest.filter(pl.col("version") == pl.col("version").max().over("model_name", "family"))
    ranks: dict[str, int] = {}
    for (_,), rows in newest.group_by("model_name"):
        order = gate.ranked(rows.sort("version").select(gate.RANKED_BY).rows(), settings.models.gate)
        ranks |= {version: rank for rank, version in enumerate(order, start=1)}
    ranked = newest.with_columns(rank=pl.col("version").replace_strict(ranks, return_dtype=pl.Int64, default=None))
    return ranked.sort("model_name", "rank")


def write_best(settings: Settings, ranked: pl.DataFrame) -> Path:
    """Writes `best` as `best_model_selection.json` among the artifacts, by forecaster; where it lies."""
    told = {
        name: {"best_model": _chosen(settings, rows.row(0, named=True)), "ranking": [_place(row) for row in _named(rows)]}
        for (name,), rows in ranked.group_by("model_name", maintain_order=True)
    }
    content = {"written_at": datetime.now(UTC), "ranked_by": "log_loss_calibration - log_loss_calibration_base", "models": told}
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    path = settings.artifacts / BEST
    artifact.write_atomic(path, msgspec.json.format(msgspec.json.encode(content), indent=1))
    return path


def _status(now: Current, version: str, *, pending: bool) -> str:
    """`pending`: no verdict was spoken on it and no later training of its family and week took its place."""
    if version == now.champion:
        return "champion"
    if version == now.challenger:
        return "challenger"
    return "candidate" if pending or version == now.flagged else "archived"


def _named(rows: pl.DataFrame) -> list[Mapping[str, Any]]:
    return list(rows.iter_rows(named=True))


def _chosen(settings: Settings, row: Mapping[str, Any]) -> Mapping[str, Any]:
    folder = artifact.folder(settings.artifacts, row["model_name"], row["version"])
    file = folder / artifact.MODEL
    gap = None if row["auc_fit"] is None or row["auc"] is None else row["auc_fit"] - row["auc"]
    return {
        "experiment": f"models/{row['model_name']}/{row['family']}",
        "run_id": row["run_id"],
        **_place(row),
        "test_auc": row["cv_auc_mean"],
        "train_auc": row["auc_fit"],
        "overfitting_ratio": gap,
        "model_file": (file if file.exists() else folder / artifact.MANIFEST).relative_to(settings.artifacts).as_posix(),
        "features_used": row["features"],
    }


def _place(row: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = ("rank", "version", "week", "status", "verdict", "log_loss_calibration", "log_loss_calibration_base")
    out_of_time = ("auc", "auc_low", "auc_high", "log_loss", "log_loss_base", "rmse_bp", "rmse_zero_bp")
    return {
        "name": row["family"],
        **{column: row[column] for column in shown},
        **{f"oot_{column}": row[column] for column in out_of_time},
    }
