"""`docs/commands.md`: every subcommand of `spx`, from the command itself."""

from collections.abc import Iterator
from typing import Any

import typer

from spx_assets.cli import app
from spx_assets_tests.documents.table import table

EXIT_CODES = (
    ("0", "done"),
    (
        "1",
        "a failure, printed as one line with its remedy, or a check that did not hold (`doctor`, `demo`, `reproduce`)",
    ),
    ("2", "wrong usage: an unknown option, a value that is none"),
)


def page() -> str:
    parts = [
        "# Commands\n\n"
        "Made from the command by `make docs`. `spx COMMAND --help` shows the same. Off a terminal every table is TSV, "
        "untruncated. `spx --debug COMMAND` shows the whole trace of an error. `spx --install-completion` adds completion to "
        "bash, zsh or fish.\n",
        f"## Exit codes\n\n{table(('code', 'meaning'), EXIT_CODES)}",
    ]
    for name, command in _commands(typer.main.get_command(app), "spx"):
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        parts.append(
            f"## {name}\n\n{command.help or ''}\n" + (f"\n{table(('argument', 'default', 'meaning'), rows)}" if rows else "")
        )
    return "\n".join(parts)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for below, found in getattr(command, "commands", {}).items():
        path = f"{name} {below}"
        if hasattr(found, "commands"):
            yield from _commands(found, path)
        else:
            yield path, found


def _row(parameter: Any) -> tuple[str, str, str]:
    option = parameter.param_type_name == "option"
    name = f"`{', '.join(parameter.opts)}`" if option else f"`{(parameter.metavar or parameter.name).upper()}`"
    value = parameter.default
    default = "" if value in (None, (), [], False) or callable(value) else str(value)
    return name, default, getattr(parameter, "help", None) or ""
