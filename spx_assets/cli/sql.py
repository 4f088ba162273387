"""`spx sql`: read the lake from the command line."""

import json
import sys

import typer


def sql(
    statement: str | None = typer.Argument(None, help="A reading statement, SHOW TABLES or COPY ... TO; without one, a shell."),
) -> None:
    """Run a reading statement on the lake; CSV with a header off a terminal. Without a statement, a shell (exit with Ctrl-D)."""
    from spx_assets.lake import Lake
    from spx_assets.settings import load

    lake = Lake.open(load(), read_only=True)
    if statement is not None:
        _show(lake, statement)
        return
    if not sys.stdin.isatty():
        _show(lake, sys.stdin.read())
        return
    _shell(lake)


def _show(lake: object, statement: str) -> None:
    import polars as pl

    from spx_assets.cli import output
    from spx_assets.lake import Lake
    from spx_assets.lake import sql as reading

    assert isinstance(lake, Lake)
    frame = reading.run(lake, statement)
    if sys.stdout.isatty():
        output.table(frame)
    else:
        # CSV has no lists and structs: they are written as JSON.
        texts = [
            pl.Series(one.name, [None if value is None else json.dumps(value, default=str) for value in one.to_list()], pl.String)
            for one in frame
            if one.dtype.is_nested()
        ]
        sys.stdout.write(frame.with_columns(texts).write_csv())


def _shell(lake: object) -> None:
    import readline  # noqa: F401  (line editing in input())

    from spx_assets import SpxError

    lines: list[str] = []
    while True:
        try:
            lines.append(input("spx> " if not lines else "...> "))
        except EOFError:
            typer.echo()
            return
        except KeyboardInterrupt:
            lines = []
            typer.echo()
            continue
        if not lines[-1].rstrip().endswith(";"):
            continue
        statement, lines = "\n".join(lines), []
        try:
            _show(lake, statement)
        except SpxError as error:
            typer.echo(f"spx: {error}", err=True)
