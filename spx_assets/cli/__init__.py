"""The `spx` command: one subcommand a module, each importing its libraries only when it runs.

Belongs here: options, progress, printing. Does not: anything a notebook would want to call.

Exit codes, which `docs/commands.md` repeats: 0 done; 1 a failure somebody foresaw, printed as one line with its remedy; 2 wrong
usage; 70 a failure nobody foresaw; 130 ended by Ctrl-C.
"""

import gc
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

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

INTERRUPTED = 130
Command = Callable[..., Any] | typer.Typer
CONTENTS: dict[str, dict[str, tuple[Command, str]]] = {
    "Begin": {
        "demo": (demo.demo, "From candles to a judged, served forecast: a simulated market, or a file of yours."),
        "up": (up.up, "Dagster UI, service with dashboard and MLflow UI of the home; Ctrl-C stops all."),
        "doctor": (doctor.doctor, "What is wrong with the home, and what to do."),
        "scenario": (scenario.app, "Stories that show the platform at work, e.g. how it answers a market that changes."),
    },
    "Data": {
        "import": (import_.app, "Candles and news, from files or a provider's history."),
        "backfill": (backfill.backfill, "Make assets over weeks: what is missing, what is stale, what lies upstream."),
        "features": (features.app, "The catalog, values at a minute, point-in-time joins."),
        "news": (news.app, "Hear the providers once, order simulated articles."),
        "sql": (sql.sql, "Read any table of the lake."),
    },
    "Models": {
        "train": (train.train, "Train forecasters on the newest weeks and let the gate judge them."),
        "walk-forward": (walk_forward.walk_forward, "Train every few weeks, forecast the weeks between, score each day."),
        "models": (models.app, "Versions beside their baselines, verdicts, who is served; promote, roll back, reproduce."),
    },
    "Service": {
        "serve": (serve.serve, "Answer forecasts over HTTP, with the dashboard at /."),
        "stream": (stream.stream, "Take in bars as they are completed, beside several services."),
        "settle": (settle.settle, "What came of the forecasts that were answered."),
        "keys": (keys.app, "Who may call, and with which role."),
        "deploy": (deploy.app, "Blue and green: status, canary, cutover, rollback."),
    },
    "Upkeep": {
        "alerts": (alerts.app, "What was raised and whether it was delivered; try every channel."),
        "maintain": (maintain.maintain, "Merge small files, forget old snapshots, drop what retention says."),
        "backup": (backup.backup, "Copy the home while everything runs."),
        "restore": (backup.restore, "Make a backup the home."),
    },
}
"""Panel of `spx --help` -> command -> what it is and its line there."""


class _InOrder(TyperGroup):
    """Commands as the contents have them; typer puts groups of commands last."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for panel in CONTENTS.values() for name in panel]


app = typer.Typer(
    name="spx",
    cls=_InOrder,
    help="Intraday S&P 500 forecasting: candles to features to judged models to served forecasts.",
    epilog="All state lies in the folder SPX_HOME (./.spx). Settings, commands, exit codes: docs/.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for _panel, _commands in CONTENTS.items():
    for _name, (_what, _words) in _commands.items():
        if isinstance(_what, typer.Typer):
            app.add_typer(_what, name=_name, short_help=_words, rich_help_panel=_panel)
        else:
            app.command(_name, short_help=_words, rich_help_panel=_panel)(_what)


@app.callback()
def _options(debug: bool = typer.Option(False, "--debug", help="Show the whole trace of an error.")) -> None:
    """Intraday S&P 500 forecasting: candles to features to judged models to served forecasts."""


def main() -> None:
    """Run the command; an error becomes one line on stderr and exit code 1, or 70 if nobody foresaw it."""
    # OpenMP's threads wait by spinning unless told otherwise: beside other work a training took 25 times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Looking for garbage every 700 new objects, many of them of modules being imported, was 13 % of a training's CPU time. Every
    # 5,000, features of 180 days take 9.7 CPU s instead of 11.4 at the same peak of 551 MiB; 20,000 save no more and cost 20 to
    # 115 MiB, of frames in reference cycles.
    gc.set_threshold(5_000, 10, 10)
    # Whoever has just seen an error adds it to the end of the line.
    words = [word for word in sys.argv[1:] if word != "--debug"]
    if len(words) < len(sys.argv) - 1:
        app(args=words, prog_name="spx")
        return
    try:
        app(args=words, prog_name="spx")
    except SpxError as error:
        typer.echo(f"spx: {_line(error)}", err=True)
        raise SystemExit(1) from None
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer says nothing of it
            typer.echo("spx: interrupted; what was committed stays", err=True)
        raise
    except Exception as error:  # noqa: BLE001  (the command ends here)
        typer.echo(f"spx: {_unforeseen(error)}", err=True)
        raise SystemExit(os.EX_SOFTWARE) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _unforeseen(error: Exception) -> str:
    """What failed and where, in our own code if the trace passes through it."""
    frames = traceback.extract_tb(error.__traceback__)
    home = Path(__file__).parents[2]
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(home) and "site-packages" not in frame.filename]
    frame = (ours or frames)[-1]
    place = f"{Path(frame.filename).relative_to(home) if ours else frame.filename}:{frame.lineno}"
    return (
        f"{type(error).__name__}: {_line(error)} (at {place}, an error nobody foresaw); `spx doctor` looks at the home, "
        "the same command with --debug shows the whole trace"
    )


if __name__ == "__main__":
    main()
