"""`spx maintain`: the monthly upkeep, now.

Belongs here: printing. Does not: what upkeep does (`upkeep.routine`).
"""

import typer


def maintain() -> None:
    """Keep the lake up: retention where set, compaction, expiry of snapshots, clean-up; `spx up` does it monthly."""
    import polars as pl

    from spx_assets.cli import output, runs
    from spx_assets.lake import Lake
    from spx_assets.settings import load
    from spx_assets.upkeep import routine

    settings = load()
    Lake.open(settings, read_only=True)  # makes no lake where there is none
    with runs.dagster_of(settings) as instance:
        from spx_assets.automation import upkeep

        live = upkeep.live(instance)
    with output.working("keeping the lake up"):
        done = routine.maintain(settings, live=live)
    schema = {"step": pl.String, "number": pl.Int64, "what": pl.String}
    output.table(
        pl.DataFrame([(each.step, each.number, each.what) for each in done], schema=schema, orient="row"), title="Upkeep"
    )
    if live:
        typer.echo(f"{len(live)} run(s) are under way: what they may read was left alone", err=True)
