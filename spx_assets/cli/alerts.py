"""`spx alerts`: what was raised and what became of it; a test of every channel; delivering by hand.

Belongs here: options and printing. Does not: alerts and their delivery (`monitoring.alerts`).
"""

import typer

app = typer.Typer(help="Alerts: listed with their delivery, delivered now, every channel tested.", no_args_is_help=True)

SHOWN = ("created_at", "kind", "severity", "delivery", "delivered_at", "attempts", "title", "message", "error", "source", "id")


@app.command("list")
def list_(
    kind: str | None = typer.Option(None, help="Only this kind, e.g. drift."),
    last: int = typer.Option(50, min=1, help="So many, the newest."),
) -> None:
    """Alerts, the newest first, with what became of their delivery."""
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.lake import Lake
    from spx_assets.lake.monitoring_tables import ALERTS
    from spx_assets.settings import load

    found = Lake.open(load(), read_only=True).read(ALERTS)
    if kind is not None:
        found = found.filter(pl.col("kind") == kind)
    output.table(found.sort("created_at", descending=True).head(last).select(SHOWN), title="Alerts", keys=2)


@app.command()
def test() -> None:
    """Send a test alert over every channel, whatever waits and cools; exit code 1 if one does not take it."""
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.monitoring.alerts import trial
    from spx_assets.settings import load

    tried = trial.every_channel(load())
    rows = [(each.channel, each.address, "delivered" if each.error is None else "failed", each.error) for each in tried]
    schema = dict.fromkeys(("channel", "address", "delivery", "error"), pl.String)
    output.table(pl.DataFrame(rows, schema=schema, orient="row"), title="Channels")
    if any(each.error for each in tried):
        raise typer.Exit(1)


@app.command()
def deliver() -> None:
    """Deliver now what waits; under `spx up` a sensor does it. Exit code 1 if a channel failed."""
    from dataclasses import asdict

    import polars as pl

    from spx_assets.cli import output
    from spx_assets.lake import Lake
    from spx_assets.monitoring.alerts import delivery, trial
    from spx_assets.settings import load

    settings = load()
    Lake.open(settings, read_only=True)  # makes no lake where there is none
    trial.require_channels(settings)
    with output.working("delivering"):
        done = delivery.deliver(settings)
    output.table(pl.DataFrame(list(asdict(done).items()), schema={"delivery": pl.String, "alerts": pl.Int64}, orient="row"))
    if done.waiting or done.failed:
        raise typer.Exit(1)
