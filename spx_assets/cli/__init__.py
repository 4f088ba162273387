"""The `spx` command: one subcommand a module, each importing its libraries only when it runs.

Belongs here: options, progress, printing. Does not: anything a notebook would want to call.

Exit codes: 0 done; 1 a typed failure, printed as one line with its remedy; 2 wrong usage.
"""

import os
import sys

import typer

from spx_assets import SpxError
from spx_assets.cli import (
    alerts,
    backfill,
    backup,
    demo,
    deploy,
    doctor,
    features,
    import_,
    keys,
    maintain,
    models,
    news,
    scenario,
    serve,
    settle,
    sql,
    stream,
    train,
    up,
    walk_forward,
)

app = typer.Typer(
    name="spx",
    help="Intraday S&P 500 forecasting: candles to features to judged models to served forecasts.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("serve")(serve.serve)
app.command("stream")(stream.stream)
app.add_typer(import_.app, name="import")
app.command("backfill")(backfill.backfill)
app.command("train")(train.train)
app.command("walk-forward")(walk_forward.walk_forward)
app.add_typer(models.app, name="models")
app.add_typer(news.app, name="news")
app.add_typer(keys.app, name="keys")
app.add_typer(alerts.app, name="alerts")
app.add_typer(deploy.app, name="deploy")
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("maintain")(maintain.maintain)
app.add_typer(scenario.app, name="scenario")
app.command("settle")(settle.settle)
app.command("sql")(sql.sql)
app.add_typer(features.app, name="features")


@app.callback()
def _options(debug: bool = typer.Option(False, "--debug", help="Show the whole trace of an error.")) -> None:
    """Intraday S&P 500 forecasting: candles to features to judged models to served forecasts."""


def main() -> None:
    """Run the command; a typed error becomes one line on stderr and exit code 1."""
    # OpenMP's threads wait by spinning unless told otherwise: beside other work a training took 25 times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "--debug" in sys.argv:
        app()
        return
    try:
        app()
    except SpxError as error:
        typer.echo(f"spx: {' '.join(str(error).split())}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
