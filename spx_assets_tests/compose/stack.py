"""One running compose project: commands in its containers, its addresses, killing a container's process."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PROXY, DAGSTER, MLFLOW = "http://127.0.0.1:8088", "http://127.0.0.1:3000", "http://127.0.0.1:5001"
LABEL = "com.docker.compose"
SERVICES = (
    "postgres",
    "redis",
    "mlflow",
    "dagster-code",
    "dagster-webserver",
    "dagster-daemon",
    "stream",
    "serving-blue",
    "serving-green",
    "rollout",
    "nginx",
)


class StackError(RuntimeError):
    """The containers did not do what they should."""


def no_engine() -> str | None:
    """Why the containers cannot be started here; None if they can."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no container engine answers `docker info`"
    return None if _compose() else "neither `docker compose` nor `docker-compose` is installed"


def _compose() -> list[str]:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else []


class Stack:
    """The project's compose file under a name of its own, with secrets of its own."""

    def __init__(self, folder: Path, name: str = "spx-compose-test") -> None:
        self.name, self._file = name, folder / "env"
        example = (ROOT / ".env.example").read_text()
        for setting in ("POSTGRES_PASSWORD", "SPX_SERVING__SECRET"):
            example = example.replace(f"{setting}=\n", f"{setting}={secrets.token_hex(24)}\n")
        self._file.write_text(example)
        self._command = [*_compose(), "--project-name", name, "--env-file", str(self._file)]

    @property
    def folder(self) -> Path:
        """Where this run keeps its files."""
        return self._file.parent

    def compose(self, *arguments: str, check: bool = True, timeout_s: float = 1200, env: dict[str, str] | None = None) -> str:
        """Output of a compose command; StackError with its last lines if it fails and `check` is set."""
        command, own = [*self._command, *arguments], {**os.environ, **(env or {})}
        done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=timeout_s, check=False)
        if check and done.returncode:
            raise StackError(f"compose {' '.join(arguments)}: {done.stdout[-1500:]}{done.stderr[-3000:]}")
        return done.stdout + ("" if check else done.stderr)

    def run(self, service: str, *command: str) -> str:
        """Standard output of a command in a running container."""
        return self.compose("exec", "-T", service, *command)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service -> what the engine knows of its container; docker-compose 1.29 would take 0.7 CPU s to name one."""
        ours = ("--filter", f"label={LABEL}.project={self.name}", "--filter", f"label={LABEL}.oneoff=False")
        numbers = subprocess.run(["docker", "ps", "-aq", *ours], capture_output=True, text=True, check=True).stdout.split()
        if not numbers:
            return {}
        told = subprocess.run(["docker", "inspect", *numbers], capture_output=True, text=True, check=True).stdout
        return {each["Config"]["Labels"][f"{LABEL}.service"]: each for each in json.loads(told)}

    def state(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = self.containers()[service]["State"]
        return found

    def healthy(self, services: Sequence[str]) -> bool:
        known = self.containers()
        return all(service in known and _is_healthy(known[service]["State"]) for service in services)

    def kill_and_see_it_start(self, service: str) -> None:
        """SIGKILL to the container's first process, as the kernel would: `docker kill` would keep it from coming back."""
        before = self.state(service)
        os.kill(before["Pid"], signal.SIGKILL)
        until(lambda: self.state(service)["StartedAt"] != before["StartedAt"], f"{service} started again", 60)

    def pause(self, service: str, *, on: bool) -> None:
        number = self.containers()[service]["Id"]
        subprocess.run(["docker", "pause" if on else "unpause", number], check=True, capture_output=True)

    def signal(self, service: str, name: str) -> None:
        self.compose("kill", "-s", name, service)

    def wait(self, services: Sequence[str] = SERVICES, *, patience_s: float = 240) -> None:
        until(lambda: self.healthy(services), f"{', '.join(services)} healthy", patience_s)


def _is_healthy(state: dict[str, Any]) -> bool:
    """Running, and well where the compose file says how to ask."""
    return bool(state["Running"]) and state.get("Health", {}).get("Status", "healthy") == "healthy"


def until(true: Callable[[], bool], what: str, patience_s: float) -> float:
    """Seconds until something is true; StackError naming it if it is not in time."""
    start = time.monotonic()
    while time.monotonic() - start < patience_s:
        try:
            if true():
                return time.monotonic() - start
        except (httpx.HTTPError, subprocess.CalledProcessError, KeyError):
            pass
        time.sleep(0.5)
    raise StackError(f"not {what} within {patience_s:.0f} s")
