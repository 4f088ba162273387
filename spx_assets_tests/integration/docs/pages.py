"""What the documents tell a reader to type.

Belongs here: finding fenced commands and what they need. Does not: running them.
"""

import re
import shlex
from dataclasses import dataclass

from spx_assets.automation.instance import ROOT

FENCE = re.compile(r"^```bash(?: needs=(\w+))?\n(.*?)^```", flags=re.M | re.S)
NEEDS = ("network", "account", "engine")


@dataclass(frozen=True)
class Block:
    """A fenced block of one page; `needs` says what a test does not have."""

    page: str
    needs: str | None
    text: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.strip()]


def blocks() -> list[Block]:
    """Every block of docs/*.md, page by page."""
    found = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        found += [Block(path.name, needs or None, text) for needs, text in FENCE.findall(path.read_text())]
    return found


def command(pattern: str) -> str:
    """The one line of all pages that contains `pattern`."""
    (line,) = [line for block in blocks() for line in block.lines if pattern in line]
    return line


def words(line: str) -> tuple[dict[str, str], list[str]]:
    """The variables set before a command, and the command's words."""
    parts = shlex.split(line)
    variables = {}
    while parts and re.match(r"^[A-Z_]+=", parts[0]):
        name, _, value = parts.pop(0).partition("=")
        variables[name] = value
    return variables, parts
