"""`spx scenario`: stories that show the platform at work, each in a home of its own.

Belongs here: options and printing. Does not: what happens in a story (`automation.scenario`).
"""

from pathlib import Path

import typer

app = typer.Typer(help="Stories that show the platform at work, each in a home of its own.", no_args_is_help=True)


@app.callback()
def _stories() -> None:
    """Stories that show the platform at work, each in a home of its own."""


@app.command()
def drift(
    home: Path = typer.Option(Path(".spx-scenario-drift"), help="The story's home; what an earlier one left there is replaced."),
    small: bool = typer.Option(False, "--small", help="One forecaster of one family, and no page of the drift."),
) -> None:
    """A market changes: drift is reported, one training answers it, the gate decides, the service swaps, alerts go out.

    Exit code 1 unless exactly one training, one verdict a forecaster, one drift alert, and one alert a promotion were recorded.
    """
    import os
    import signal

    # A stop from outside ends the daemon and the service as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = home.absolute()
    os.environ["SPX_HOME"] = str(home)
    import polars as pl

    from spx_assets.automation.scenario import loop
    from spx_assets.cli import output, runs

    with runs.stoppable():
        line, told = loop.drift(home, small=small, tell=lambda words: typer.echo(words, err=True))
    verdicts = [(name, v.verdict, v.over or "none", v.reason) for name, each in told.verdicts.items() for v in each]
    columns = ("forecaster", "verdict", "champion before", "reason")
    output.table(pl.DataFrame(verdicts, schema=dict.fromkeys(columns, pl.String), orient="row"), title="Verdicts")
    typer.echo(f"retrain run\t{told.retrain_runs[0]}")
    typer.echo(f"see it\tSPX_HOME={home} spx up")
    typer.echo("\t".join(f"{what} {seconds:g} s" for what, seconds in line.seen.items()))
