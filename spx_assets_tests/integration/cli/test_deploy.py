"""`spx deploy`: what an operator types, and what the containers run before anything else."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from serving.keys import KeyStore
from serving.rollout.split import Splits
from spx_assets import SpxError
from spx_assets.automation.instance import ROOT
from spx_assets.cli import app
from spx_assets.lake import Lake
from spx_assets.settings import Settings, load
from spx_assets.sources import feeds


def spx(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["deploy", *arguments])
    if isinstance(done.exception, SpxError):
        raise done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_an_operator_moves_the_split_and_sees_why(settings: Settings) -> None:
    assert "green answers 25 %, blue 75 %, drawn by request" in spx("canary", "25")
    assert "drawn by address" in spx("canary", "40", "--sticky", "address", "--reason", "one desk, one colour")
    assert "green answers 100 %" in spx("cutover")
    assert "green answers 0 %, blue 100 %, drawn by address" in spx("rollback", "--reason", "it was slow")
    lines = [line.split("\t") for line in spx("history").splitlines()]
    assert [line[1] for line in lines[1:]] == ["25", "40", "100", "0"]
    assert [line[-1] for line in lines[1:]] == ["canary of 25 %", "one desk, one colour", "cutover", "it was slow"]


def test_what_draws_the_colour_is_one_of_two(settings: Settings) -> None:
    with pytest.raises(SpxError, match="choose request or address"):
        spx("canary", "25", "--sticky", "moon")
    assert Splits(settings).current() is None


def test_status_says_of_each_colour_whether_it_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPX_DEPLOY__BLUE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SPX_DEPLOY__GREEN_URL", "http://127.0.0.1:9")
    spx("canary", "10")
    told = spx("status")
    assert "split 1: green answers 10 %" in told
    rows = [line.split("\t") for line in told.splitlines() if line.startswith(("blue", "green"))]
    assert [row[:2] for row in rows] == [["blue", "90"], ["green", "10"]]
    assert all(row[3].startswith("unreachable") for row in rows)


def test_prepare_makes_a_home_that_containers_can_start_in_and_changes_nothing_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPX_SIMULATOR__DAYS", "5")
    # It is set for the process, and so given back after the test.
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    spx("prepare")
    lake = Lake.open(settings)
    assert list(feeds.feeds(lake)) == ["SPX500_USD"]
    first = Splits(settings).current()
    assert first is not None
    assert (first.green, first.reason) == (10, "the first split")
    kept = load(settings.home)
    key = kept.deploy.key.get_secret_value()
    holder = KeyStore(kept).holder(key)
    assert holder is not None
    assert holder.role == "viewer"
    assert kept.alerts.service_key.get_secret_value() == key
    assert stat.S_IMODE((settings.home / "settings.env").stat().st_mode) == 0o600
    (settings.home / "settings.env").open("a").write("SPX_NEWS__ONLINE=false\n")
    spx("prepare")
    assert load(settings.home).deploy.key.get_secret_value() == key
    assert Splits(settings).current() == first
    # Under another secret the key opens nothing: it is replaced, and what else stands there stays.
    KeyStore(kept).revoke(holder.id)
    spx("prepare")
    again = load(settings.home)
    assert again.deploy.key.get_secret_value() != key
    assert again.news.online is False


def test_the_compose_file_names_only_what_is_there() -> None:
    """Without an engine: every build folder, mounted file and image stage exists, and ports are open on loopback only."""
    parsed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = parsed["services"]
    assert set(services) >= {
        "postgres", "redis", "mlflow", "dagster-code", "dagster-webserver", "dagster-daemon", "stream", "serving-blue",
        "serving-green", "rollout", "nginx", "prepare",
    }  # fmt: skip
    stages = {line.split()[-1] for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines() if line.startswith("FROM")}
    for name, service in services.items():
        build = service.get("build")
        if isinstance(build, dict):
            assert build["target"] in stages, name
            assert (ROOT / build["dockerfile"]).is_file(), name
        elif build:
            assert (ROOT / build / "Dockerfile").is_file(), name
        ports = service.get("ports", [])
        assert all(port.startswith("127.0.0.1:") for port in ports), (name, ports)
        if name not in ("postgres", "redis"):
            assert service["cap_drop"] == ["ALL"], name
        assert service["mem_limit"], name
        mounts = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert all((ROOT / mount).exists() for mount in mounts if mount.startswith("./")), name
    assert services["serving-blue"]["environment"]["SPX_SERVING__ALIAS"] == "champion"
    assert services["serving-green"]["environment"]["SPX_SERVING__ALIAS"] == "challenger"


def test_a_container_in_production_names_the_secret_it_lacks(tmp_path: Path) -> None:
    def start(**environment: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(ROOT / "deploy" / "start.sh"), "echo", "started"]
        return subprocess.run(command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False)

    assert start().returncode == 1
    assert "POSTGRES_PASSWORD is empty and the mode is production" in start().stderr
    assert "SPX_SERVING__SECRET is empty" in start(POSTGRES_PASSWORD="a").stderr
    assert start(POSTGRES_PASSWORD="a", SPX_SERVING__SECRET="b").stdout == "started\n"
    assert start(SPX_SERVING__MODE="local").stdout == "started\n"


def test_prometheus_takes_the_rules_and_its_alerts_say_which_colour_and_what_to_do() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian's package prometheus)")
    for arguments in (("check", "rules", "rules.yml"), ("test", "rules", "rules.test.yml")):
        done = subprocess.run(
            [promtool, *arguments], cwd=ROOT / "deploy" / "prometheus", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
