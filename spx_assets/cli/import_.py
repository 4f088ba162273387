"""`spx import candles`: bind an instrument to a file, or to a provider's downloaded history.

Belongs here: options, progress, the report. Does not: reading, judging or keeping rows.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from spx_assets import SpxError

if TYPE_CHECKING:
    import polars as pl

    from spx_assets.sources import imports

app = typer.Typer(
    help="Bring candles into the home: copy them to its landing folder and bind their instrument.", no_args_is_help=True
)


class ImportUsageError(SpxError):
    """The options of an import do not go together."""


@app.callback()
def _group() -> None:
    """Bring candles into the home: copy them to its landing folder and bind their instrument."""


@app.command()
def candles(
    path: Path | None = typer.Argument(None, help="A file: Parquet, CSV, OANDA v20 JSON lines, HistData ASCII or its zip."),
    instrument: str | None = typer.Option(None, help="Symbol to bind, e.g. SPX500_USD; overrides the file's own."),
    tz: str | None = typer.Option(None, help="Time zone of the file's stamps, e.g. America/New_York or EST; overrides its own."),
    stamp: str = typer.Option("start", help="Whether a bar carries the time of its start or its end."),
    replace: bool = typer.Option(False, "--replace", help="Put earlier files, another provider or the simulator out of force."),
    provider: str | None = typer.Option(None, help="Download instead: oanda (needs SPX_OANDA__TOKEN) or dukascopy."),
    start: datetime | None = typer.Option(None, "--from", help="First instant to download, UTC."),
    end: datetime | None = typer.Option(None, "--to", help="First instant not to download, UTC; default now."),
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
    lake = Lake.open(load())
    with output.progress() as progress:
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
                start=start.replace(tzinfo=UTC),
                end=end.replace(tzinfo=UTC) if end else datetime.now(UTC),
                symbol=symbol,
                scale=scale,
                replace=replace,
                progress=lambda done, total: progress(f"download {instrument}", done, total),
            )
    output.table(_shown(reports), title="Imported")
    if not reports or all(report.again for report in reports):
        typer.echo("nothing new: the feed holds these rows already", err=True)
    if left := feeds.leftover_weeks(lake):
        typer.echo(
            f"{len(left)} week(s) from {left[0]} to {left[-1]} still hold rows of a former feed; "
            f"run `spx backfill bronze/candles silver/* gold/market_features gold/labels --from {left[0]} --to {left[-1]}`",
            err=True,
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
