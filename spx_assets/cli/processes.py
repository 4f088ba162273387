"""Child processes of the command: starting them, waiting until they answer, ending them together.

Belongs here: ports, processes, readiness. Does not: what a service does.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

from spx_assets import SpxError
from spx_assets.settings import Settings


class ProcessError(SpxError):
    """A child process did not start or did not answer in time."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(wanted: int = 0, host: str = "127.0.0.1") -> int:
    """The wanted port if it is free, else the next free one above it; any free one for 0."""
    if wanted == 0:
        with socket.socket() as probe:
            probe.bind((host, 0))
            return int(probe.getsockname()[1])
    last = min(wanted + 99, 65535)
    for port in range(wanted, last + 1):
        if is_free(port, host):
            return port
    raise ProcessError(f"no free port from {wanted} to {last} on {host}; name one with --port")


def start(
    command: Sequence[str], *, env: dict[str, str] | None = None, output: IO[bytes] | int | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that it can be ended with everything it started."""
    errors = None if output is None else subprocess.STDOUT
    return subprocess.Popen(
        list(command), env={**os.environ, **(env or {})}, start_new_session=True, stdout=output, stderr=errors, cwd=cwd
    )


def end(children: Sequence[subprocess.Popen[bytes]], *, patience_s: float = 15.0) -> None:
    """SIGTERM to every group, SIGKILL to those that stay."""
    for child in children:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
            child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def wait_until_answers(url: str, child: subprocess.Popen[bytes], *, patience_s: float = 60.0) -> None:
    """Until GET `url` answers at all; ProcessError if the child ends or the time is up."""
    deadline = time.monotonic() + patience_s
    # One client for all questions: httpx.get makes one each time, with its certificates, for 80 ms of CPU.
    with httpx.Client(timeout=2.0) as client:
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise ProcessError(f"the process for {url} ended with exit code {child.returncode}; its output says why")
            try:
                client.get(url)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
    raise ProcessError(f"{url} did not answer within {patience_s:.0f} s")


@contextmanager
def running_service(settings: Settings) -> Iterator[str]:
    """The forecasting service of the home on a free loopback port, as its own process; yields its address.

    Open to this machine, whatever mode the home is served in.
    """
    port = free_port()
    env = {"SPX_HOME": str(settings.home), "SPX_SERVING__MODE": "local"}
    command = [sys.executable, "-m", "spx_assets.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    child = start(command, env=env, output=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_answers(f"{url}/health", child)
        yield url
    finally:
        end([child])
