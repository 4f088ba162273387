"""Clients in a process of their own, and what the service spends meanwhile.

Belongs here: starting that process, reading the kernel's figures of another. Does not: what the clients do (`clients`).
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spx_assets_tests.load.clients import Load, Plan

TICKS = os.sysconf("SC_CLK_TCK")


class Running:
    """Clients under way; `load` waits for their end, `stop` makes it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @property
    def under_way(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> Load:
        """Has them take the answers they wait for and end."""
        self.process.terminate()
        return self.load()

    def load(self) -> Load:
        out, _ = self.process.communicate(timeout=1_000)
        if self.process.returncode:
            raise RuntimeError(f"the clients ended with {self.process.returncode}; their error is above")
        return msgspec.json.decode(out, type=Load)


@contextmanager
def clients(plan: Plan) -> Iterator[Running]:
    """Clients that begin now."""
    command = [sys.executable, "-m", "spx_assets_tests.load", msgspec.json.encode(plan).decode()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def run(plan: Plan) -> Load:
    """The load of a plan, from its beginning to its end."""
    with clients(plan) as under_way:
        return under_way.load()


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, figure: str = "VmRSS") -> float:
    """VmRSS, or VmHWM for its highest so far, in MiB."""
    found = re.search(rf"{figure}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
