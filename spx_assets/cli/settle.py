"""`spx settle`: what came of the forecasts that were answered.

Belongs here: printing. Does not: verdicts (`scoring.settlement`).
"""

import typer


def settle() -> None:
    """Fill in realised returns and hits of answered forecasts whose horizon has passed; under `spx up` a schedule does it."""
    from datetime import UTC, datetime

    import polars as pl

    from spx_assets.cli import output
    from spx_assets.lake import Lake
    from spx_assets.scoring import settlement
    from spx_assets.settings import load

    settings = load()
    Lake.open(settings, read_only=True)  # makes no lake where there is none
    with output.working("settling forecasts whose horizon has passed"):
        done = settlement.settle(Lake.open(settings), now=datetime.now(UTC))
    schema = {"status": pl.String, "forecasts": pl.Int64}
    output.table(pl.DataFrame(list(done.verdicts.items()), schema=schema, orient="row"), title="Settled")
    typer.echo(f"{done.waiting} wait for their bars", err=True)
