"""`spx keys`: who may write to the service, and with which role."""

import typer

app = typer.Typer(help="API keys of the service: made, listed, revoked.", no_args_is_help=True)


@app.command()
def create(
    name: str = typer.Argument(help="Who will hold it, e.g. dashboard."),
    role: str = typer.Option("viewer", help="viewer, operator or admin; each may do what those before it may."),
) -> None:
    """Make a key and print it, once: what the home keeps is a digest."""
    from serving.keys import KeyStore
    from spx_assets.settings import load

    made, key = KeyStore(load()).create(name, role)  # type: ignore[arg-type]  # create() judges the role
    typer.echo(key)
    typer.echo(f"key {made.id} of {made.name}, {made.role}; it is not shown again, `spx keys revoke {made.id}` ends it", err=True)


@app.command("list")
def list_() -> None:
    """Every key ever made: id, holder, role, when it was made and revoked. Never the key itself."""
    import polars as pl

    from serving.keys import KeyStore
    from spx_assets.cli import output
    from spx_assets.lake.tables import UTC_US
    from spx_assets.settings import load

    keys = KeyStore(load()).all()
    text = {name: pl.Series([getattr(key, name) for key in keys], dtype=pl.String) for name in ("id", "name", "role")}
    times = {name: pl.Series([getattr(key, name) for key in keys], dtype=UTC_US) for name in ("created_at", "revoked_at")}
    output.table(pl.DataFrame({**text, **times}))


@app.command()
def revoke(number: str = typer.Argument(metavar="ID", help="As `spx keys list` shows it.")) -> None:
    """End a key; a running service refuses it within a tenth of a second."""
    from serving.keys import KeyStore
    from spx_assets.settings import load

    ended = KeyStore(load()).revoke(number)
    typer.echo(f"key {ended.id} of {ended.name} is revoked", err=True)
