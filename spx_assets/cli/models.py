"""`spx models`: what was trained, how it did beside its baselines, who is served and why, and moving it by hand.

Belongs here: options and printing. Does not: standing of versions (`training.catalogue`), decisions (`training.manual`).
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from spx_assets.cli.options import instant

if TYPE_CHECKING:
    from spx_assets.lake import Lake
    from spx_assets.settings import Settings

app = typer.Typer(help="Versions beside their baselines, verdicts, who is served; promote and roll back.", no_args_is_help=True)

VERSION = typer.Argument(help="Version id, see `spx models list`.")
NAME = typer.Argument(help="Forecaster, e.g. spx500_h30.")
REASON = typer.Option(..., help="Why; recorded with the decision.")
LISTED = (
    *("model_name", "week", "family", "status", "verdict", "auc", "auc_low", "auc_high", "log_loss", "log_loss_base"),
    *("p_direction", "rmse_bp", "rmse_zero_bp", "rmse_ar1_bp", "p_return", "effective_obs", "version"),
)
RANKED = (
    *("model_name", "rank", "family", "status", "verdict", "log_loss_calibration", "log_loss_calibration_base"),
    *("auc", "auc_low", "auc_high", "log_loss", "log_loss_base", "rmse_bp", "rmse_zero_bp", "auc_fit", "version"),
)
DECIDED = (
    *("decided_at", "effective_at", "week", "family", "version", "verdict", "reason", "moves_current", "served", "tests"),
    *("effective_obs", "p_direction", "p_return", "p_champion", "rows_champion", "champion_before", "champion_after"),
)


@app.command("list")
def list_(name: str | None = typer.Argument(None, help="Only this forecaster, e.g. spx500_h30.")) -> None:
    """Every version out of time beside its baselines, with its status and verdict; newest week first."""
    from spx_assets.cli import output
    from spx_assets.training import catalogue

    lake, settings = _home()
    output.table(catalogue.listing(lake, settings, name).select(LISTED), title="Out of time, beside the baselines", keys=3)


@app.command("show")
def show(version: str = VERSION) -> None:
    """One version: its facts and verdict, every metric beside its baselines, the inputs it owes most to."""
    from spx_assets.cli import output
    from spx_assets.scoring import artifact
    from spx_assets.training import catalogue, manual, sheet

    lake, settings = _home()
    found = artifact.load(manual.folder(settings, version))
    listed = catalogue.listing(lake, settings, found.manifest.name)
    status = dict(listed.select("version", "status").rows()).get(version, "")
    output.table(sheet.facts(found, status=status), title=version)
    typer.echo()
    output.table(sheet.metrics(found.manifest, settings.models.gate), title="Out of time, beside baselines and limits")
    typer.echo()
    output.table(sheet.importance(lake, version), title="Inputs by importance")


@app.command("compare")
def compare(a: str = VERSION, b: str = VERSION) -> None:
    """Two versions on the rows that are out of time for both, beside the baselines, with a test each way."""
    from spx_assets.cli import output
    from spx_assets.training import comparison

    lake, settings = _home()
    with output.working("forecasting the same rows with both"):
        compared = comparison.compare(lake, settings, versions=(a, b))
    output.table(compared, title="The same rows, out of time for both")


@app.command("promote")
def promote(version: str = VERSION, reason: str = REASON) -> None:
    """Make a version the champion of its forecaster by hand; the decision is recorded with its reason."""
    from spx_assets.training import manual

    lake, settings = _home(read_only=False)
    _decided(lake, settings, str(manual.promote(lake, settings, version=version, reason=reason)["model_name"]))


@app.command("rollback")
def rollback(name: str = NAME, reason: str = REASON) -> None:
    """Make the champion before the present one champion again; the decision is recorded with its reason."""
    from spx_assets.training import manual

    lake, settings = _home(read_only=False)
    _decided(lake, settings, str(manual.rollback(lake, settings, name=name, reason=reason)["model_name"]))


@app.command("history")
def history(
    name: str = NAME, at: datetime | None = typer.Option(None, parser=instant, help="Only who was served at this instant, UTC.")
) -> None:
    """Every verdict on a forecaster, oldest first; with --at who was served then, by the feed's clock."""
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.scoring.walk_forward import History
    from spx_assets.training import catalogue, standing

    lake, settings = _home()
    versions = catalogue.listing(lake, settings, name)
    if at is None:
        output.table(standing.recorded(lake, name=name).select(DECIDED), title=name)
        return
    asked = pl.Series([at], dtype=pl.Datetime("us", "UTC"))
    served = History.read(lake, lake.snapshot()).champion_at(name, asked)
    told = pl.DataFrame({"model_name": [name], "at": asked, "version": served})
    output.table(told.join(versions.select("version", "family", "week", "status"), on="version", how="left"))


@app.command("export")
def export(version: str = VERSION, folder: Path = typer.Argument(help="A folder that does not exist or is empty.")) -> None:
    """Copy a version, checksums and golden rows verified, with those that vote in it, as a store of its own."""
    from spx_assets.scoring import handover
    from spx_assets.settings import load
    from spx_assets.training import manual

    typer.echo(handover.export(manual.folder(load(), version), folder))


@app.command("best")
def best() -> None:
    """The newest week's candidates in the order the gate takes them; also written to best_model_selection.json."""
    from spx_assets.cli import output
    from spx_assets.training import catalogue

    lake, settings = _home()
    ranked = catalogue.best(lake, settings)
    path = catalogue.write_best(settings, ranked)
    output.table(ranked.select(RANKED), title="By log loss on the calibration segment, beside that of the base rate", keys=3)
    typer.echo(f"written to {path}", err=True)


@app.command("reproduce")
def reproduce(version: str = VERSION) -> None:
    """Train a version, and the members of a vote, again from its lake snapshot and compare; exit code 1 if forecasts differ."""
    from dataclasses import asdict

    import polars as pl

    from spx_assets.cli import output
    from spx_assets.training import reproduce as again

    lake, settings = _home()
    with output.progress() as progress:
        made = again.with_members(lake, settings, version, progress=lambda done, total: progress("trainings", done, total))
    rows = [{**asdict(one), "exact": one.exact} for one in made]
    output.table(pl.DataFrame(rows), title="Largest differences of forecasts out of time")
    if not all(one.exact for one in made):
        raise typer.Exit(1)


def _home(*, read_only: bool = True) -> tuple["Lake", "Settings"]:
    from spx_assets.lake import Lake
    from spx_assets.settings import load

    settings = load()
    return Lake.open(settings, read_only=read_only), settings


def _decided(lake: "Lake", settings: "Settings", name: str) -> None:
    """Shows the newest decision, and lets the aliases of the MLflow registry follow."""
    from spx_assets.assets import registry
    from spx_assets.cli import output
    from spx_assets.training import standing

    output.table(standing.recorded(lake, name=name).tail(1).select(DECIDED), title=name)
    registry.sync(settings, lake, name=name)
