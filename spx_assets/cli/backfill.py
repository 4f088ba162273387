"""`spx backfill`: make assets over weeks, whatever is missing upstream included."""

from datetime import datetime

import typer

from spx_assets.cli import memory


def backfill(
    assets: list[str] = typer.Argument(help="Asset names, e.g. gold/market_features gold/labels 'models/spx500_h30/*'."),
    first: datetime | None = typer.Option(
        None, "--from", formats=["%Y-%m-%d"], help="First day; its trading week is the first made."
    ),
    last: datetime | None = typer.Option(None, "--to", formats=["%Y-%m-%d"], help="Last day; its trading week is the last made."),
    force: bool = typer.Option(False, help="Redo every week of the named assets, not their upstream."),
) -> None:
    """Make the named assets for all weeks with rows: missing and stale ones, and whatever is missing upstream."""
    memory.allocator(memory.KEEPS_PAGES)
    from spx_assets.cli import output, runs

    with runs.backfill() as plan, output.progress() as progress:
        made = plan.run(assets, first=runs.week(first), last=runs.week(last), force=force, progress=progress)
    typer.echo("\n".join(f"{asset}\t{weeks}" for asset, weeks in made.items()))
