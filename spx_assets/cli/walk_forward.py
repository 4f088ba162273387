"""`spx walk-forward`: train at a distance of weeks, forecast the weeks between, score every day."""

from datetime import datetime

import typer

EVERY = typer.Option("1w", help="Distance of the weeks to train, e.g. 2w.")


def weeks_of(every: str) -> int:
    """'2w' or '2' -> 2; typer.BadParameter for anything else."""
    digits = every.removesuffix("w")
    if not digits.isdigit() or int(digits) < 1:
        raise typer.BadParameter(f"{every!r} is not a number of weeks; say e.g. 2w", param_hint="--every")
    return int(digits)


def walk_forward(
    names: list[str] | None = typer.Argument(None, help="Forecasters, e.g. spx500_h30; all of the home's when left out."),
    every: str = EVERY,
    first: datetime | None = typer.Option(None, "--from", formats=["%Y-%m-%d"], help="A day of the first week to train."),
    last: datetime | None = typer.Option(None, "--to", formats=["%Y-%m-%d"], help="A day of the last week to forecast."),
) -> None:
    """Train every k-th week and forecast all of them out of sample, whatever the gate says; goes on where it stopped."""
    step = weeks_of(every)
    from spx_assets.cli import output, results, runs

    with runs.backfill() as plan, output.progress() as progress:
        chosen = names or [name for name, _, _ in plan.settings.model_names]
        weeks = plan.weeks(runs.week(first), runs.week(last))
        # A model of the last week has nothing left to forecast, unless that is all that was asked for.
        trained = weeks[:-1:step] or weeks
        for done, week in enumerate(trained):
            progress("weeks trained", done, len(trained))
            plan.run([f"models/{name}/*" for name in chosen], first=week, last=week)
        progress("weeks trained", len(trained), len(trained))
        plan.run(["gold/forecasts", "gold/forecast_scores"], first=weeks[0], last=weeks[-1], progress=progress)
        output.table(results.walk_forward(plan.lake, weeks, chosen), title="Out of sample, days beside their baselines")
