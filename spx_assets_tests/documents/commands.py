"""`docs/commands.md`: every subcommand of `spx`, from the command itself."""

from collections.abc import Iterator
from typing import Any

import typer

from spx_assets.cli import CONTENTS, app
from spx_assets_tests.documents.table import table

EXIT_CODES = (
    ("0", "done"),
    (
        "1",
        "a failure, printed as one line with its remedy, or a check that did not hold (`doctor`, `demo`, `reproduce`)",
    ),
    ("2", "wrong usage: an unknown option, a value that is none"),
    ("70", "a failure nobody foresaw, printed as one line with its place in the code; `--debug` shows the whole trace"),
    ("130", "ended by Ctrl-C"),
)


def page() -> str:
    parts = [
        "# Commands\n\n"
        "Made from the command by `make docs`. `spx COMMAND --help` shows the same. Off a terminal every table is TSV, "
        "untruncated. `--debug`, anywhere in the line, shows the whole trace of an error. `spx --install-completion` adds "
        "completion to bash, zsh or fish. Long work shows a bar or a spinner on a terminal, off it a line a finished step.\n",
        f"## Exit codes\n\n{table(('code', 'meaning'), EXIT_CODES)}",
    ]
    known: Any = typer.main.get_command(app)
    for panel, commands in CONTENTS.items():
        parts.append(f"## {panel}\n\n{table(('command', ''), ((f'`spx {name}`', told) for name, (_, told) in commands.items()))}")
        parts += [_section(*found) for name in commands for found in _commands(known.commands[name], f"spx {name}")]
    return "\n".join(parts)


def _section(name: str, command: Any) -> str:
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    told = f"\n{table(('argument', 'default', 'meaning'), rows)}" if rows else ""
    return f"### {name}\n\n{command.help or ''}\n{told}"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The command, or those below it."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for below, found in command.commands.items():
        yield from _commands(found, f"{name} {below}")


def _row(parameter: Any) -> tuple[str, str, str]:
    option = parameter.param_type_name == "option"
    name = f"`{', '.join(parameter.opts)}`" if option else f"`{(parameter.metavar or parameter.name).upper()}`"
    value = parameter.default
    default = "" if value in (None, (), [], False) or callable(value) else str(value)
    return name, default, getattr(parameter, "help", None) or ""
