"""`spx backup` and `spx restore`.

Belongs here: options and printing. Does not: copying (`upkeep.backup`, `upkeep.restore`).
"""

from pathlib import Path

import typer


def backup(
    path: Path = typer.Argument(help="A folder that does not exist or is empty, outside the home."),
    with_keys: bool = typer.Option(False, "--with-keys", help="Also API keys and settings.env, which may name secrets."),
) -> None:
    """Copy the home while everything runs: lake at one snapshot, artifacts, landed files, MLflow store, Dagster state."""
    from spx_assets.cli import output
    from spx_assets.settings import load
    from spx_assets.upkeep import backup as upkeep

    settings = load()
    with output.progress() as progress:
        made = upkeep.backup(settings, path, with_keys=with_keys, progress=progress)
    size = sum(file.bytes for file in made.files.values())
    keys = "keys and settings included" if with_keys else "without keys and settings.env"
    typer.echo(f"{path}: {len(made.files)} files, {size / 1e6:.1f} MB, lake snapshot {made.snapshot}, {keys}")


def restore(path: Path = typer.Argument(help="A folder that `spx backup` wrote.")) -> None:
    """Make a backup the home in use, which must not exist or be empty; every file is verified first."""
    from spx_assets.cli import output
    from spx_assets.settings import load
    from spx_assets.upkeep import restore as upkeep

    settings = load()
    with output.progress() as progress:
        made = upkeep.restore(settings, path, progress=progress)
    typer.echo(f"{settings.home}: {len(made.files)} files as of {made.made_at:%Y-%m-%d %H:%M} UTC, lake snapshot {made.snapshot}")
    if not made.with_keys:
        typer.echo("keys and settings.env were not in the backup: `spx keys create NAME` makes new keys", err=True)
