"""Every command of the documents: run as it stands there, or, where it needs what a test has not, parsed to the last option."""

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from spx_assets import cli
from spx_assets.automation.instance import ROOT
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import simulator
from spx_assets_tests.integration.docs.pages import NEEDS, Block, blocks, words

BLOCKS = blocks()
# In the order in which a reader with a new home would come to them: what is made first is needed later.
ORDER = (
    "backfill.md",
    "add-a-feature.md",
    "add-a-model.md",
    "gate.md",
    "monitoring.md",
    "production.md",
    "incident.md",
    "add-a-source.md",
)
# A check that finds something says so by its exit code: a home of nine days has no champion, and no backup yet.
MAY_FIND = {"spx doctor"}


def test_each_page_with_commands_to_run_has_its_place() -> None:
    assert {block.page for block in BLOCKS if block.needs is None} == set(ORDER)
    assert {block.needs for block in BLOCKS} <= {None, *NEEDS}
    assert all(line.startswith(("spx ", "SPX_")) for block in BLOCKS if block.needs is None for line in block.lines)


def test_the_commands_of_the_documents_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    # They are set for the process by the commands, and so given back after the test.
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    for name, value in {"SPX_SIMULATOR__DAYS": "9", "SPX_LABELS__HORIZONS": "[30]", "SPX_MODELS__FAMILIES": '["linear"]'}.items():
        monkeypatch.setenv(name, value)
    _csv_of_a_reader(tmp_path / "candles.csv")
    from spx_assets.cli.up import bind_if_empty

    home.mkdir()
    bind_if_empty(Settings(home=home))
    for page in ORDER:
        for block in (block for block in BLOCKS if block.page == page and block.needs is None):
            for line in block.lines:
                variables, command = words(line.replace("$PWD", str(tmp_path)))
                with monkeypatch.context() as own:
                    own.setenv("SPX_HOME", str(home))
                    for name, value in variables.items():
                        own.setenv(name, value)
                    code, said = _run(command, own, capfd)
                allowed = {0, 1} if line in MAY_FIND else {0}
                assert code in allowed, f"{page}: {line}: exit code {code}\n{said[-2000:]}"
    assert (tmp_path / "restored" / "lake").is_dir()


def _csv_of_a_reader(path: Path) -> None:
    settings = SimulatorSettings(seed=11, days=3)
    rows = simulator.generate(settings, *simulator.history(settings), instrument="EUR_USD")
    columns = rows.rename({"ts": "time"}).select("time", "open", "high", "low", "close")
    columns.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")


def _run(command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capfd.readouterr()
    return int(ended.value.code or 0), said.out + said.err


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.needs], ids=lambda block: f"{block.page}-{block.needs}")
def test_a_command_that_cannot_run_here_is_one_all_the_same(block: Block) -> None:
    parsed = subprocess.run(["bash", "-n", "-c", block.text], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    for line in block.lines:
        variables, command = words(line)
        assert set(variables) <= {name for name in variables if name.startswith("SPX_")}
        if command[0] == "make":
            assert command[1] in targets, line
        if "spx" in command:
            _accepted(command[command.index("spx") + 1 :])


def _accepted(arguments: list[str]) -> None:
    """The command's own parser takes the line: subcommand, arguments and options exist."""
    found: Any = typer.main.get_command(cli.app)
    while hasattr(found, "commands"):
        name = arguments.pop(0)
        assert name in found.commands, name
        found = found.commands[name]
    found.make_context(found.name, list(arguments), resilient_parsing=False)


def test_every_inline_command_of_the_documents_exists() -> None:
    """`spx ...` in running text and tables: its words up to the first argument name a subcommand."""
    root: Any = typer.main.get_command(cli.app)
    for path in (ROOT / "docs").glob("*.md"):
        for inline in re.findall(r"`spx ([^`]+)`", path.read_text()):
            found, parts = root, [part for part in inline.split() if not part.startswith("-")]
            while hasattr(found, "commands") and parts and parts[0] != "COMMAND":
                assert parts[0] in found.commands, f"{path.name}: spx {inline}"
                found = found.commands[parts.pop(0)]


def test_every_setting_the_documents_name_exists() -> None:
    known = set(re.findall(r"`(SPX_[A-Z0-9_]+)`", (ROOT / "docs" / "settings.md").read_text()))
    groups = {name.rpartition("__")[0] for name in known}
    for path in [*(ROOT / "docs").glob("*.md"), ROOT / ".env.example", ROOT / "README.md"]:
        for name in re.findall(r"SPX_[A-Z0-9_]+", path.read_text()):
            if name in known or name.rstrip("_") in groups or name == "SPX_REQUIRE_SERVICES":
                continue
            # A mapping's entry, such as SPX_ALERTS__CHANNELS__MAIL.
            assert name.rpartition("__")[0] in known, f"{path.name}: {name}"


def test_every_link_between_the_documents_leads_somewhere() -> None:
    for path in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
