"""`spx doctor`: what the home takes of the disk, and what is wrong with it.

Belongs here: printing, the exit code. Does not: checks (`upkeep.doctor`, `automation.health`).
"""

import typer


def doctor() -> None:
    """Disk usage, then checks of versions, disk, clock, calendar, services and stale weeks; exit code 1 if something is wrong."""
    import polars as pl

    from spx_assets.cli import output, runs
    from spx_assets.settings import load
    from spx_assets.upkeep import doctor as checks

    settings = load()
    with output.working("looking at the home"):
        found = checks.examine(settings)
    output.table(checks.usage(settings), title=f"Disk usage of {settings.home}")
    typer.echo()
    if all(each.check != "lake" or not each.wrong for each in found):
        with output.working("looking for stale weeks and late runs"), runs.dagster_of(settings) as instance:
            from spx_assets.automation import health

            found += health.examine(settings, instance)
    rows = [(each.check, "wrong" if each.wrong else "ok", each.found, each.remedy) for each in found]
    schema = dict.fromkeys(("check", "state", "found", "remedy"), pl.String)
    output.table(pl.DataFrame(rows, schema=schema, orient="row"), title="Checks")
    if any(each.wrong for each in found):
        raise typer.Exit(1)
