"""Every command of the documents: run as it stands there, or, where it needs what a test has not, parsed to the last option."""

import io
import json
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml

from spx_assets import SpxError, cli
from spx_assets.automation.instance import ROOT
from spx_assets.cli.up import bind_if_empty
from spx_assets.features import batch, catalog
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import simulator
from spx_assets_tests import mlflow_stores
from spx_assets_tests.integration.docs.pages import NEEDS, Block, blocks, words
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]

BLOCKS = blocks()
# In the order in which a reader with a new home would come to them: what is made first is needed later.
ORDER = (
    "backfill.md",
    "add-a-feature.md",
    "add-a-model.md",
    "gate.md",
    "news.md",
    "serving.md",
    "monitoring.md",
    "production.md",
    "incident.md",
    "add-a-source.md",
)
# A market of two weeks, and a family that takes no time to train: here the commands are tried.
SMALL = {
    "SPX_SIMULATOR__DAYS": "9",
    "SPX_LABELS__HORIZONS": "[30]",
    "SPX_MODELS__FAMILIES": '["linear"]',
    "SPX_MODELS__LINEAR__PENALTIES": "[10.0]",
}
VERSION = "20251015T160000Z-0001"
"""The version the documents name; here the newest of the home."""
RUN_ELSEWHERE = {"spx scenario drift": "integration/automation/test_scenario.py"}
# A check that finds something says so by its exit code: a home of nine days has no champion, and no backup yet.
MAY_FIND = {"spx doctor"}


def test_each_page_with_commands_to_run_has_its_place() -> None:
    assert {block.page for block in BLOCKS if block.needs is None} == set(ORDER)
    assert {block.needs for block in BLOCKS} <= {None, *NEEDS}
    lines = [line for block in BLOCKS if block.needs is None for line in block.lines]
    assert all(line.startswith(("spx ", "SPX_", "curl ")) for line in lines)
    for line, test in RUN_ELSEWHERE.items():
        assert line in lines
        assert (Path(__file__).parents[2] / test).is_file()


def test_the_commands_of_the_documents_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], mlflow_database: Path
) -> None:
    home = tmp_path / "home"
    # They are set for the process by the commands, and so given back after the test.
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    _files_of_a_reader(tmp_path / "candles.csv")
    mlflow_stores.place(mlflow_database, home)
    bind_if_empty(Settings(home=home))
    reader = Reader(tmp_path, home, monkeypatch, capfd)
    for page in ORDER:
        if page == "incident.md":
            reader.promote_another()
        reader.types([block for block in BLOCKS if block.page == page and block.needs is None])
    assert (tmp_path / "restored" / "lake").is_dir()
    reader.sees_a_failed_run_as_one_line()
    assert _asked_by_prometheus_and_grafana() - reader.metrics == set()


class Reader:
    """Somebody who types the documents' commands in one folder, with one home."""

    def __init__(self, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._folder, self._home, self._monkeypatch, self._capfd = folder, home, monkeypatch, capfd
        self.metrics: set[str] = set()
        """Names of the samples that the service told at /metrics."""

    def types(self, page: list[Block]) -> None:
        """Every line of the page but those another test runs; curl asks a service of the home, where the market goes on."""
        lines = [line for block in page for line in block.lines if line not in RUN_ELSEWHERE]
        with ExitStack() as stack:
            address = ""
            if any(line.startswith("curl ") for line in lines):
                service = stack.enter_context(homes.running(self._home, SPX_STREAM__SOURCE="simulator"))
                address = str(service.client.base_url).rstrip("/")
                self.metrics |= set(re.findall(r"^([a-z_]+)", service.get("/metrics").text, flags=re.M))
            for line in lines:
                if line.startswith("curl "):
                    self._curl(line.replace("localhost:8000", address))
                else:
                    code, said = self._spx(line)
                    assert code in ({0, 1} if line in MAY_FIND else {0}), (
                        f"{page[0].page}: {line}: exit code {code}\n{said[-2000:]}"
                    )

    def promote_another(self) -> None:
        """A second champion, so that there is one to go back to."""
        for line in ("spx train spx500_h30 --families linear", f"spx models promote {VERSION} --reason another"):
            code, said = self._spx(line)
            assert code == 0, said[-2000:]

    def sees_a_failed_run_as_one_line(self) -> None:
        """What an asset raises inside a run of Dagster, with its remedy; the trace stays with the run."""

        def fails(*_: object, **__: object) -> None:
            raise SpxError("the rows of 2025-10-14\nare no candles; import that day again")

        with self._monkeypatch.context() as own:
            own.setattr(batch, "by_day", fails)
            code, said = self._spx("spx backfill silver/calendar --force")
        *before, last = said.splitlines()
        assert (code, last) == (1, "spx: the rows of 2025-10-14 are no candles; import that day again")
        assert all(re.fullmatch(r"\S+: (up to date|\d+ made)", line) for line in before), said

    def _spx(self, line: str) -> tuple[int, str]:
        if VERSION in line:
            newest = max(path.name for path in (self._home / "artifacts" / "models" / "spx500_h30").iterdir() if path.is_dir())
            line = line.replace(VERSION, newest)
        variables, command = words(line.replace("$PWD", str(self._folder)))
        with self._monkeypatch.context() as own:
            for name, value in {"SPX_HOME": str(self._home), **variables}.items():
                own.setenv(name, value)
            own.setattr(sys, "argv", command)
            own.setattr(sys, "stdin", io.StringIO())
            with pytest.raises(SystemExit) as ended:
                cli.main()
        said = self._capfd.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    def _curl(self, line: str) -> None:
        """A stream has no end: two seconds of it are enough, and leaving it is no failure."""
        streams = "--max-time 60" in line
        command = [*words(line.replace("--max-time 60", "--max-time 2"))[1], "--silent", "--show-error", "--fail"]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, check=False)
        assert done.returncode == (28 if streams else 0), (line, done.stdout, done.stderr)
        assert done.stdout, line


def _asked_by_prometheus_and_grafana() -> set[str]:
    """Names of the metrics that the rules and the board of `deploy` ask for; each rule's own name has colons."""
    board = json.loads((ROOT / "deploy" / "grafana" / "spx.json").read_text())
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    names = {name for expression in asked for name in re.findall(r"\b(?:spx|process)_[a-z_]+\b(?!:)", expression)}
    assert len(names) >= 10
    return names


def _files_of_a_reader(path: Path) -> None:
    settings = SimulatorSettings(seed=11, days=3)
    rows = simulator.generate(settings, *simulator.history(settings), instrument="EUR_USD")
    columns = rows.rename({"ts": "time"}).select("time", "open", "high", "low", "close")
    columns.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
    np.zeros(len(catalog.model_inputs()), dtype=np.float32).tofile(path.with_name("rows.f32"))


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
