"""How every command prints: tables for people on a terminal, TSV off it, and one progress bar.

Belongs here: rendering. Does not: reading the lake, deciding what to show.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import polars as pl


def cell(value: object, *, digits: int | None = None) -> str:
    """One value as text: empty for null, floats in full or with `digits` significant digits."""
    if value is None:
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) and digits else str(value)


def table(frame: "pl.DataFrame", *, title: str = "") -> None:
    """Print a frame: a table on a terminal, else TSV with a header, untruncated and without the title."""
    if not sys.stdout.isatty():
        typer.echo("\t".join(frame.columns))
        for row in frame.iter_rows():
            typer.echo("\t".join(cell(value).replace("\t", " ").replace("\n", " ") for value in row))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title or None)
    for name, dtype in frame.schema.items():
        shown.add_column(name, justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        shown.add_row(*(cell(value, digits=6) for value in row))
    Console().print(shown)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar a task on stderr: call it with (task, done, total); silent off a terminal but for one line a finished task."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    bars: dict[str, int] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:

        def update(task: str, done: int, total: int) -> None:
            if task not in bars:
                bars[task] = int(shown.add_task(task, total=max(total, 1)))
            shown.update(bars[task], completed=done if total else 1, total=max(total, 1))  # type: ignore[arg-type]
            if not console.is_terminal and done == total:
                console.print(f"{task}: {total} made" if total else f"{task}: up to date", highlight=False)

        yield update
