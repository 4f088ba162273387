"""The `spx` command off a terminal: TSV and CSV, one-line errors with a remedy, exit codes."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from spx_assets import cli
from spx_assets.lake import Lake
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds


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


def test_wrong_usage_is_exit_code_2(spx: Spx) -> None:
    assert spx("backfill").returncode == 2
    assert spx("nothing").returncode == 2


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
