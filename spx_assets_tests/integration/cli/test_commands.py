"""The `spx` command off a terminal: TSV and CSV, one-line errors with a remedy, exit codes."""

import csv
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from typer import rich_utils

from spx_assets import calendar, cli
from spx_assets.automation.instance import ROOT
from spx_assets.automation.scenario import loop
from spx_assets.cli import processes
from spx_assets.lake import Chunk, Chunks, Lake
from spx_assets.lake.records import newest
from spx_assets.lake.tables import FORECASTS
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds, news
from spx_assets.upkeep import doctor as checks
from spx_assets_tests.integration.sources.test_feeds import candle_file


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Spx = Callable[..., Done]


@pytest.fixture
def spx(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Spx:
    """The command with arguments, in this process; one test starts it as its own."""

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["spx", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Done(int(ended.value.code or 0), *capfd.readouterr())

    return run


def bound(settings: Settings) -> Lake:
    lake = Lake.open(settings.model_copy(update={"simulator": SimulatorSettings(days=9)}))
    feeds.bind_simulator(lake, "SPX500_USD")
    return lake


def test_sql_as_a_process_of_its_own_prints_csv_with_a_header_and_nothing_else(settings: Settings, spx: Spx) -> None:
    bound(settings)
    query = "select instrument, provider, live from bronze.feeds"
    command = [sys.executable, "-m", "spx_assets.cli", "sql", query]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=True)
    assert (done.stdout, done.stderr) == ("instrument,provider,live\nSPX500_USD,simulator,false\n", "")
    piped = spx("sql", stdin="select count(*) as n from bronze.feeds")
    assert piped == Done(0, "n\n1\n", "")
    nested = spx("sql", "select [1, 2] as a, {'b': date '2025-10-15'} as c, null::int[] as d")
    assert nested == Done(0, 'a,c,d\n"[1, 2]","{""b"": ""2025-10-15""}",\n', "")


def test_sql_copies_out_and_refuses_to_write(settings: Settings, spx: Spx) -> None:
    bound(settings)
    target = settings.home / "feeds.parquet"
    assert spx("sql", f"copy (select * from bronze.feeds) to '{target}' (format parquet)").returncode == 0
    assert target.read_bytes()[:4] == b"PAR1"
    refused = spx("sql", "delete from bronze.feeds")
    assert refused.returncode == 1
    assert refused.stderr.startswith("spx: ")
    assert refused.stderr.count("\n") == 1


def test_a_missing_lake_is_one_line_with_a_remedy(spx: Spx) -> None:
    done = spx("sql", "select 1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("spx: ")
    assert "Traceback" not in done.stderr


def test_features_list_is_untruncated_tsv(spx: Spx) -> None:
    rows = list(csv.DictReader(io.StringIO(spx("features", "list", "--family", "technical").stdout), delimiter="\t"))
    (rsi,) = [row for row in rows if row["name"] == "rsi_14"]
    assert (rsi["family"], rsi["low"], rsi["high"], rsi["model_input"]) == ("technical", "0.0", "100.0", "True")
    assert len(rsi["description"]) > 20


def test_the_help_reads_like_a_table_of_contents(spx: Spx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich_utils, "MAX_WIDTH", 120)
    lines = spx("--help").stdout.splitlines()
    panels = [words[1] for line in lines if line.startswith("╭") and (words := line.split())[1] != "Options"]
    assert panels == ["Begin", "Data", "Models", "Service", "Upkeep"]
    told = [(name, words) for panel in cli.CONTENTS.values() for name, (_, words) in panel.items()]
    found = [line.strip("│ ").split(maxsplit=1) for line in lines if line.startswith("│ ") and "--" not in line]
    assert [tuple(words) for words in found] == told, "one line a command, in the order of the contents"


def test_the_exit_codes_are_those_the_documents_tell_of(spx: Spx, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spx("backfill").returncode == 2
    assert spx("nothing").returncode == 2

    def fails(_: Settings) -> None:
        raise failure

    monkeypatch.setattr(checks, "examine", fails)
    failure: BaseException = KeyError("a thing\nof two lines")
    done = spx("doctor")
    assert (done.returncode, done.stdout) == (70, "")
    assert re.fullmatch(r"spx: KeyError: .* \(at spx_assets_tests/\S+:\d+, an error .*\); .* --debug shows .*\n", done.stderr)
    for arguments in (("doctor", "--debug"), ("--debug", "doctor")):
        with pytest.raises(KeyError):
            spx(*arguments)
    failure = KeyboardInterrupt()
    assert spx("doctor") == Done(130, "", "spx: interrupted; what was committed stays\n")
    documented = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "commands.md").read_text(), flags=re.M)
    assert documented == ["0", "1", "2", "70", "130"]


def test_ctrl_c_in_a_backfill_is_one_line_and_keeps_the_weeks_before(
    settings: Settings, spx: Spx, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = bound(settings)
    made = feeds.by_week

    def stopped(lake: Lake, weeks: tuple[date, ...]) -> Chunks:
        def chunks() -> Iterator[Chunk]:
            yield from made(lake, weeks[:1])
            signal.raise_signal(signal.SIGINT)

        return Chunks(chunks())

    monkeypatch.setattr(feeds, "by_week", stopped)
    done = spx("backfill", "bronze/candles")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, "spx: interrupted; what was committed stays")
    assert "Traceback" not in done.stderr
    assert list(newest(lake, "bronze.candles", "bronze/candles")) == feeds.weeks_with_rows(lake)[:1]


def test_ctrl_c_in_a_scenario_is_one_line(spx: Spx, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise dg.DagsterExecutionInterruptedError

    monkeypatch.setattr(loop, "drift", stopped)
    monkeypatch.setenv("SPX_HOME", "")  # given back: the command sets it
    assert spx("scenario", "drift") == Done(130, "", "spx: interrupted; what was committed stays\n")


def test_the_command_named_after_a_replacement_leaves_nothing_that_was_simulated(
    settings: Settings, spx: Spx, tmp_path: Path
) -> None:
    """Its weeks and the simulator's have none in common; a forecast stands for what was made downstream."""
    lake = bound(settings)
    week = feeds.weeks_with_rows(lake)[-1]
    start = calendar.week_window(week)[0]
    news.import_simulated(lake, start, start + timedelta(days=2))
    assert spx("backfill", "bronze/*", "silver/returns").returncode == 0
    forecast = {
        c.name: None if c.nullable else {"DOUBLE": 0.5}.get(c.type, 30 if c.type == "INTEGER" else "x") for c in FORECASTS.columns
    }
    forecast |= {"ts": start, "trading_day": calendar.trading_day(start), "is_champion": True}
    rows = pl.DataFrame([forecast], schema=FORECASTS.schema())
    made = {"asset": "gold/forecasts", "run_id": "run", "read_snapshot": lake.snapshot(), "inputs_hashes": {week: "x"}}
    lake.replace(FORECASTS.name, Chunk((week,), rows), **made)
    tables = ("bronze.candles", "bronze.news", "silver.returns", "gold.forecasts")
    assert all(lake.count(table) for table in tables)

    path = candle_file(tmp_path, "real.csv", bars=40)
    said = spx("import", "candles", str(path), "--instrument", "SPX500_USD", "--replace").stderr
    assert "3 week(s) from 2025-09-28 to 2025-10-12 hold no others" in said
    command = shlex.split(re.findall("`(.*?)`", said)[0])
    assert (command[0], spx(*command[1:]).returncode) == ("spx", 0)
    assert [lake.count(table) for table in tables] == [40, 0, 40, 0]
    assert lake.read("bronze.candles")["source"].str.starts_with("files:").all()
    said = spx("import", "candles", str(path), "--instrument", "SPX500_USD", "--replace").stderr
    assert said.splitlines()[1:] == ["nothing new: the feed holds what there is"]


@pytest.mark.parametrize("words", ["serve --port", "up --port", "up --serving-port", "up --mlflow-port"])
def test_a_port_that_there_is_not_is_wrong_usage(spx: Spx, words: str) -> None:
    for port in ("99999", "-1"):
        done = spx(*words.split(), port)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"Invalid value for '{words.split()[1]}'" in done.stderr


def test_instants_are_iso_with_any_offset_and_utc_without(settings: Settings, spx: Spx) -> None:
    bound(settings)
    for at in ("2025-10-15T15:00", "2025-10-15T15:00:00Z", "2025-10-15 11:00:00-04:00"):
        assert "no bar of the 4 days before 2025-10-15 15:00:00+00:00" in spx("features", "values", "--at", at).stderr


def test_an_instant_that_is_not_iso_is_wrong_usage(spx: Spx) -> None:
    done = spx("features", "values", "--at", "10/02/2025 15:00")
    assert (done.returncode, "is not an ISO time" in done.stderr) == (2, True)


def test_ports_above_the_last_are_not_looked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        with pytest.raises(processes.ProcessError, match="no free port from 65535 to 65535"):
            processes.free_port(65535)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("spx walk", ["walk-forward"]), ("spx deploy c", ["canary", "cutover"]), ("spx backup --with", ["--with-keys"])],
)
def test_a_shell_completes_commands_and_options(
    spx: Spx, monkeypatch: pytest.MonkeyPatch, typed: str, offered: list[str]
) -> None:
    for name, value in {"_SPX_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}.items():
        monkeypatch.setenv(name, value)
    done = spx()
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, offered, "")


def test_a_demo_refuses_a_home_whose_feed_is_of_another_kind(settings: Settings, spx: Spx) -> None:
    bound(settings)
    done = spx("demo", "--candles", "candles.csv")
    assert done.returncode == 1
    assert "has a simulator feed for SPX500_USD; set SPX_HOME to another folder" in done.stderr


def test_importing_the_command_loads_no_library_of_a_subcommand() -> None:
    heavy = {"dagster", "polars", "duckdb", "lightgbm", "litestar", "mlflow", "rich", "httpx"}
    code = f"import sys, spx_assets.cli; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
