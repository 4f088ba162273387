"""`spx news`: simulated articles to order, one round of the online job, what was heard.

Belongs here: options and printing. Does not: making articles, polling.
"""

from datetime import datetime

import typer

from spx_assets import SpxError
from spx_assets.cli.options import instant

app = typer.Typer(help="Hear the news once; order simulated articles; see what the bars know of them.", no_args_is_help=True)


class NewsUsageError(SpxError):
    """The options of a command on news do not go together."""


@app.command()
def simulate(
    tone: str = typer.Argument(help="positive, negative, neutral, or custom for a --title of your own."),
    count: int = typer.Option(1, min=1, max=100, help="How many articles."),
    title: str | None = typer.Option(None, help="A headline of your own."),
    at: datetime | None = typer.Option(None, parser=instant, help="When the last of them is known, UTC."),
    instrument: str | None = typer.Option(None, help="Whose newest bar is to know them; by default the first one bound."),
) -> None:
    """Leave simulated articles in the drop folder; by default the newest bar knows them once the online job has run."""
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.lake import Lake
    from spx_assets.settings import load
    from spx_assets.sources import news_orders

    kind = next((known for known in news_orders.TONES if known == tone), None)
    if kind is None:
        raise NewsUsageError(f"there is no tone {tone!r}; choose {', '.join(news_orders.TONES)}")
    lake = Lake.open(load(), read_only=True)
    made = news_orders.order(lake, kind, count, title=title, at=at, instrument=instrument)
    output.table(made.articles.select("known_at", "title", file=pl.lit(made.path.name)), title="Ordered")
    typer.echo(
        "they wait in the drop folder for the online job: `spx news online` runs it once, under `spx up` a sensor", err=True
    )


@app.command()
def online() -> None:
    """Run the online job once: poll the live providers, take in the drop folder, make the signals of the current week.

    Exit code 1 if some provider or file was not heard; the others were.
    """
    from spx_assets.cli import output, results, runs
    from spx_assets.lake import Lake
    from spx_assets.settings import load

    settings = load()
    with output.working("hearing and scoring the news"), runs.dagster_of(settings) as home:
        from spx_assets.automation import online as job

        heard = job.run(settings, home)
    typer.echo(f"week {heard.week}: {heard.landed} new article(s)", err=True)
    output.table(results.news(Lake.open(settings), heard.week), title="What the newest bars know of the news")
    if {*heard.span} - {heard.week}:
        first, last = heard.span
        typer.echo(f"some are known in other weeks; run `spx backfill gold/news_signals --from {first} --to {last}`", err=True)
    for name, why in heard.failures.items():
        typer.echo(f"not heard: {name}: {why}", err=True)
    if heard.failures:
        raise typer.Exit(1)
