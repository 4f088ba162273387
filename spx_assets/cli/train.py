"""`spx train`: train forecasters for a week and let the gate judge them."""

from datetime import datetime

import typer


def train(
    names: list[str] | None = typer.Argument(None, help="Forecasters, e.g. spx500_h30; all of the home's when left out."),
    week: datetime | None = typer.Option(
        None, formats=["%Y-%m-%d"], help="A day of the newest week to learn from; default: the feed's last."
    ),
) -> None:
    """Train every family of the forecasters on the week and those before it, then let the gate judge the candidates."""
    from spx_assets.cli import output, results, runs

    with runs.backfill() as plan, output.progress() as progress:
        chosen = names or [name for name, _, _ in plan.settings.model_names]
        target = runs.week(week) or plan.weeks()[-1]
        plan.run([f"models/{name}/*" for name in chosen], first=target, last=target, force=True, progress=progress)
        output.table(results.models(plan.lake, [target]), title="Out of time, beside the baselines")
