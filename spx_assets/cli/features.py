"""`spx features`: the catalog, the values of a bar, point-in-time joins."""

from datetime import datetime
from pathlib import Path

import typer

from spx_assets.cli.options import instant

app = typer.Typer(help="The feature catalog, values at a bar, point-in-time joins.", no_args_is_help=True)


@app.command("list")
def list_(family: str | None = typer.Option(None, help="Only this family.")) -> None:
    """Every feature: family, unit, range, warm-up, whether models use it, the seeds' name, what it means."""
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.features import catalog

    rows = [
        {
            "name": f.name,
            "family": f.family,
            "model_input": f.model_input,
            "unit": f.unit,
            "low": None if f.low is None else float(f.low),
            "high": None if f.high is None else float(f.high),
            "warmup_bars": f.warmup,
            "seed_name": f.seed_name,
            "description": f.description,
        }
        for f in catalog.FEATURES
        if family in (None, f.family)
    ]
    output.table(pl.DataFrame(rows, infer_schema_length=None))


@app.command("values")
def values(
    at: datetime = typer.Option(..., parser=instant, help="A minute, UTC, e.g. 2025-10-15T15:00Z."),
    instrument: str = typer.Option("SPX500_USD", help="Traded symbol."),
) -> None:
    """Every model input of the newest bar that had ended by that minute."""
    from spx_assets.cli import output
    from spx_assets.features import point_in_time
    from spx_assets.lake import Lake
    from spx_assets.settings import load

    output.table(point_in_time.values(Lake.open(load(), read_only=True), instrument=instrument, at=at))


@app.command("get")
def get(
    at: Path = typer.Option(
        ..., exists=True, dir_okay=False, help="CSV or Parquet with columns instrument, ts (ISO 8601; UTC where no offset)."
    ),
    out: Path | None = typer.Option(None, help="Write Parquet or CSV here instead of printing."),
) -> None:
    """Point-in-time join: for each (instrument, ts) the model inputs of the newest bar that had ended by then."""
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.features import point_in_time
    from spx_assets.lake import Lake
    from spx_assets.settings import load

    with output.working("computing the inputs of each row"):
        frame: pl.DataFrame = point_in_time.join(Lake.open(load(), read_only=True), point_in_time.read_keys(at))
    if out is None:
        output.table(frame)
    elif out.suffix == ".csv":
        frame.write_csv(out)
    else:
        frame.write_parquet(out)


@app.command("correlated")
def correlated(
    above: float = typer.Option(0.95, help="Smallest absolute correlation shown."),
    instrument: str = typer.Option("SPX500_USD", help="Traded symbol."),
) -> None:
    """Pairs of model inputs whose correlation over the lake's rows is above a bound."""
    from spx_assets.cli import output
    from spx_assets.features import correlation
    from spx_assets.lake import Lake
    from spx_assets.settings import load

    with output.working("correlating the model inputs"):
        pairs = correlation.pairs_in_lake(Lake.open(load(), read_only=True), instrument=instrument, above=above)
    output.table(pairs)
