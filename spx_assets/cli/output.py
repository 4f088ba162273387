"""How every command prints: tables for people on a terminal, TSV off it, progress of long work.

Belongs here: rendering. Does not: reading the lake, deciding what to show.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def table(frame: "pl.DataFrame", *, title: str = "", keys: int = 1) -> None:
    """Print a frame: a table on a terminal, else TSV with a header, untruncated and without the title.

    What is wider than the terminal becomes several tables below one another, each with the first `keys` columns.
    """
    if not sys.stdout.isatty():
        typer.echo("\t".join(frame.columns))
        for row in frame.iter_rows():
            typer.echo("\t".join(cell(value).replace("\t", " ").replace("\n", " ") for value in row))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    cells = {name: [cell(value, digits=6) for value in frame[name]] for name in frame.columns}
    for part, names in enumerate(_side_by_side(cells, keys=keys, width=console.width)):
        shown = Table(title=title if title and not part else None)
        for name in names:
            shown.add_column(name, justify="right" if frame.schema[name].is_numeric() else "left")
        for row in zip(*(cells[name] for name in names), strict=True):
            shown.add_row(*row)
        console.print(shown)


def _side_by_side(cells: Mapping[str, Sequence[str]], *, keys: int, width: int) -> list[list[str]]:
    """Columns that fit beside one another, each group after the first `keys` columns. Text is wrapped beyond 40 characters."""
    wide = {name: min(max(map(len, (name, *texts))), 40) + 3 for name, texts in cells.items()}
    fixed, rest = list(cells)[:keys], list(cells)[keys:]
    groups: list[list[str]] = [list(fixed)]
    for name in rest:
        if len(groups[-1]) > len(fixed) and sum(wide[n] for n in (*groups[-1], name)) + 1 > width:
            groups.append(list(fixed))
        groups[-1].append(name)
    return groups


@contextmanager
def progress(counted: str = "made") -> Iterator[Callable[[str, int, int], None]]:
    """A bar a task on stderr: call it with (task, done, total); silent off a terminal but for one line a finished task.

    `counted` says there what the total was of, e.g. bytes read.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    bars: dict[str, int] = {}
    # The spinner turns where one step takes minutes, as a training does.
    columns = (SpinnerColumn(finished_text=" "), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as shown:

        def update(task: str, done: int, total: int) -> None:
            if task not in bars:
                bars[task] = int(shown.add_task(task, total=max(total, 1)))
            shown.update(bars[task], completed=done if total else 1, total=max(total, 1))  # type: ignore[arg-type]
            if not console.is_terminal and done == total:
                console.print(f"{task}: {total} {counted}" if total else f"{task}: up to date", highlight=False)

        yield update


@contextmanager
def working(words: str) -> Iterator[None]:
    """A spinner and the time beside `words` on a terminal, for work whose steps nobody counts; silent off it."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        shown.add_task(words, total=None)
        yield
