"""`spx import candles` and `spx import news`: from files, or from a provider's history.

Belongs here: options, progress, the report. Does not: reading, judging or keeping rows.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from spx_assets import SpxError
from spx_assets.cli.options import instant

if TYPE_CHECKING:
    import polars as pl

    from spx_assets.lake.connection import Lake
    from spx_assets.sources import imports
    from spx_assets.sources.news_landing import LandingReport

app = typer.Typer(help="Bring candles and news into the home: copy them to its landing folder.", no_args_is_help=True)


class ImportUsageError(SpxError):
    """The options of an import do not go together."""


@app.callback()
def _group() -> None:
    """Bring candles and news into the home: copy them to its landing folder."""


@app.command()
def candles(
    path: Path | None = typer.Argument(None, help="A file: Parquet, CSV, OANDA v20 JSON lines, HistData ASCII or its zip."),
    instrument: str | None = typer.Option(None, help="Symbol to bind, e.g. SPX500_USD; overrides the file's own."),
    tz: str | None = typer.Option(None, help="Time zone of the file's stamps, e.g. America/New_York or EST; overrides its own."),
    stamp: str = typer.Option("start", help="Whether a bar carries the time of its start or its end."),
    replace: bool = typer.Option(False, "--replace", help="Put earlier files, another provider or the simulator out of force."),
    provider: str | None = typer.Option(None, help="Download instead: oanda (needs SPX_OANDA__TOKEN) or dukascopy."),
    start: datetime | None = typer.Option(None, "--from", parser=instant, help="First instant to download, UTC."),
    end: datetime | None = typer.Option(None, "--to", parser=instant, help="First instant not to download, UTC; default now."),
    symbol: str | None = typer.Option(None, help="The provider's own name of the instrument, where it differs."),
    scale: float | None = typer.Option(None, help="Dukascopy's price divisor, for symbols it cannot be told of."),
) -> None:
    """Import a file, or download history with --provider; either is bound as an archive feed. Interrupted downloads resume."""
    from spx_assets.cli import output
    from spx_assets.lake.connection import Lake
    from spx_assets.settings import load
    from spx_assets.sources import feeds, history, imports

    if stamp not in ("start", "end"):
        raise ImportUsageError(f"--stamp {stamp} is unknown; use start or end")
    if (path is None) == (provider is None):
        raise ImportUsageError("give a PATH to import, or --provider with --instrument and --from to download; not both")
    if path is not None and (start or end or symbol or scale):
        raise ImportUsageError("--from, --to, --symbol and --scale are for --provider; a file is imported whole")
    if provider is not None and (tz or stamp != "start"):
        raise ImportUsageError("--tz and --stamp are for files; a provider's own are known")
    lake = Lake.open(load())
    with output.progress("bytes read" if path else "minutes asked for") as progress:
        if path is not None:
            first = imports.import_file(
                lake,
                path,
                instrument=instrument,
                tz=tz,
                stamp="end" if stamp == "end" else "start",
                replace=replace,
                progress=lambda done, total: progress(f"import {path.name}", done, total),
            )
            reports = [first, *first.others]
        else:
            if provider not in ("oanda", "dukascopy"):
                raise ImportUsageError(f"--provider {provider} is unknown; use oanda or dukascopy")
            if instrument is None or start is None:
                raise ImportUsageError("a download needs --instrument and --from, e.g. --instrument EUR_USD --from 2024-01-01")
            reports = history.download(
                lake,
                provider="oanda" if provider == "oanda" else "dukascopy",
                instrument=instrument,
                start=start,
                end=end or datetime.now(UTC),
                symbol=symbol,
                scale=scale,
                replace=replace,
                progress=lambda done, total: progress(f"download {instrument}", done, total),
            )
    output.table(_shown(reports), title="Imported")
    if again := all(report.again for report in reports):
        typer.echo("nothing new: the feed holds what there is", err=True)
    left = feeds.leftover_weeks(lake)
    if left or (replace and not again and lake.count("bronze.candles")):
        weeks = f", {len(left)} week(s) from {left[0]} to {left[-1]} hold no others" if left else ""
        typer.echo(
            f"rows made of a former feed are still there{weeks}; run `{_redo(lake)}`, then `spx train`: "
            "what learned from a former feed is served no more",
            err=True,
        )


@app.command()
def news(
    paths: list[Path] | None = typer.Argument(None, metavar="[PATH]...", help="Files: JSON, JSON lines or Parquet."),
    provider: str | None = typer.Option(None, help="Import its history instead: gdelt, rss, alphavantage or finnhub."),
    start: datetime | None = typer.Option(None, "--from", parser=instant, help="First instant of publication to import, UTC."),
    end: datetime | None = typer.Option(None, "--to", parser=instant, help="First instant not to import, UTC; default now."),
    tz: str | None = typer.Option(None, help="Time zone of times in files that name none, e.g. America/New_York."),
    column: list[str] | None = typer.Option(None, help="FIELD=NAME: the file's column of a field, e.g. title=Headline."),
) -> None:
    """Import articles as a dated archive, from files or a provider; what is there already is left out, so imports resume.

    A date without a time is known from the next day. rss has no history: it imports what the feeds still list.
    """
    from functools import partial

    from spx_assets import calendar
    from spx_assets.cli import output
    from spx_assets.lake.connection import Lake
    from spx_assets.settings import load
    from spx_assets.sources import news as sources

    if bool(paths) == (provider is not None):
        raise ImportUsageError("give files to import, or --provider with --from to import its history; not both")
    if paths and (start or end):
        raise ImportUsageError("--from and --to are for --provider; a file is imported whole")
    if provider is not None and start is None and provider != "rss":
        raise ImportUsageError("a provider's history needs --from, e.g. --from 2024-01-01")
    if provider is not None and (tz or column):
        raise ImportUsageError("--tz and --column are for files; providers' own are known")
    columns = dict(_pair(text) for text in column or [])
    lake = Lake.open(load())
    with output.progress("records read" if paths else "minutes asked for") as progress:
        if provider is not None:
            since = start or calendar.week_window(lake.settings.history_start)[0]
            until = end or datetime.now(UTC)
            reports = [sources.download(lake, provider, since, until, progress=partial(progress, f"{provider} news"))]
        else:
            reports = [
                sources.import_file(lake, path, columns=columns, tz=tz, progress=partial(progress, f"import {path.name}"))
                for path in paths or []
            ]
    output.table(_landed(reports), title="Imported")
    for trouble in [trouble for report in reports for trouble in report.troubles]:
        typer.echo(f"not heard: {trouble}", err=True)
    if not any(report.landed for report in reports):
        typer.echo("nothing new: the home holds these articles already, or there were none", err=True)


def _redo(lake: "Lake") -> str:
    """The command that makes all that was made of former feeds again, and empties the weeks that no feed has any more."""
    import shlex

    from spx_assets.lake import records, tables

    # The weeks of costs are the wall's; what was never measured need not be measured now.
    measured = [name for name in tables.registry() if name.startswith("monitoring.") and name != "monitoring.costs"]
    assets = {name.replace(".", "/"): name for name in measured}
    there = [asset for asset, name in assets.items() if any(made.rows for made in records.newest(lake, name, asset).values())]
    return shlex.join(["spx", "backfill", "bronze/*", "silver/*", "gold/*", *there])


def _pair(text: str) -> tuple[str, str]:
    field, equals, name = text.partition("=")
    if not (field and equals and name):
        raise ImportUsageError(f"--column {text} is not FIELD=NAME, e.g. title=Headline")
    return field, name


def _landed(reports: "list[LandingReport]") -> "pl.DataFrame":
    """One row a file or provider, for people."""
    import polars as pl

    return pl.DataFrame(
        [
            {
                "provider": report.provider,
                "source": report.name,
                "records": report.rows,
                "landed": report.landed,
                "known": report.known,
                "refused": ", ".join(f"{n} {reason}" for reason, n in report.refused.items()),
                "first": f"{report.first_known_at:%Y-%m-%d %H:%M}" if report.first_known_at else "",
                "last": f"{report.last_known_at:%Y-%m-%d %H:%M}" if report.last_known_at else "",
            }
            for report in reports
        ],
        schema=dict.fromkeys(("provider", "source"), pl.String)
        | dict.fromkeys(("records", "landed", "known"), pl.Int64)
        | dict.fromkeys(("refused", "first", "last"), pl.String),
    )


def _shown(reports: "list[imports.ImportReport]") -> "pl.DataFrame":
    """One row a report, for people."""
    import polars as pl

    return pl.DataFrame(
        [
            {
                "instrument": report.instrument,
                "provider": report.provider,
                "source": report.name,
                "rows": report.rows,
                "candles": report.candles,
                "quarantined": ", ".join(f"{n} {reason}" for reason, n in report.quarantined.items()),
                "first": f"{report.first_ts:%Y-%m-%d %H:%M}",
                "last": f"{report.last_ts:%Y-%m-%d %H:%M}",
            }
            for report in reports
        ],
        schema={**dict.fromkeys(("instrument", "provider", "source"), pl.String), "rows": pl.Int64, "candles": pl.Int64}
        | dict.fromkeys(("quarantined", "first", "last"), pl.String),
    )
