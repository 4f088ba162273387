"""The service over a socket: forecasts a second, their slowest hundredth, and how long a hot swap stops it.

Belongs here: what is asked of which service, the budgets. Does not: the clients (`load`), proofs of what is answered.

Clients and service share the machine's two cores, so each rate stands beside what both spend on a request.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from spx_assets.scoring import current
from spx_assets.settings import Settings, load
from spx_assets_tests.benchmarks.line import Line, spent
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.load import process
from spx_assets_tests.load.clients import Load, Plan
from spx_assets_tests.load.ticks import TICK_S

SECONDS = 8.0
SWAPS = 30
PERIOD_S = 0.4
"""From one swap to the next; the service looks for new models ten times a second."""


def run() -> list[Line]:
    settings = homes.settings_of(load().home)
    homes.market(settings).close()
    homes.model(settings)
    with homes.running(settings.home, whole=True) as service:
        port, pid = int(service.client.base_url.port or 0), service.process.pid
        process.run(Plan(port=port, seconds=1.0))
        cpu = process.cpu_s(pid)
        found = process.run(Plan(port=port, seconds=SECONDS))
        cpu = process.cpu_s(pid) - cpu
        calm, _ = pauses(settings, port, swap=False)
        swapped, load_ = pauses(settings, port, swap=True)
        lines = [
            Line("POST /predict, one worker, 32 connections", found.rate, 5_000, "requests/s", True),
            Line("its slowest hundredth", found.p99_ms, 10.0, "ms"),
            Line("the service's CPU for one", 1e6 * cpu / found.answered, None, "us"),
            Line("the clients' CPU for one", 1e6 * found.cpu_s / found.answered, None, "us"),
            Line(f"longest wait for any answer, median of {SWAPS} times {PERIOD_S} s", calm, None, "ms"),
            Line(f"the same around {SWAPS} hot swaps", swapped, None, "ms"),
            Line("failed requests of all these", found.failed + load_.failed, 0.5, "requests"),
            Line("the service's peak memory", process.memory_mb(pid, "VmHWM"), 300.0, "MiB"),
        ]
    still, swapping = standstills(settings)
    lines += [
        Line(f"the event loop stands still around a hot swap, median of {SWAPS}", swapping, 5.0, "ms"),
        Line("the same without one", still, None, "ms"),
    ]
    return [*lines, Line("`import serving.app`", imported_s(), 1.5, "CPU s"), synced_each(settings)]


def synced_each(settings: Settings) -> Line:
    """Every answer on the disk before it leaves: what is asked at once waits in one line for it."""
    with homes.running(settings.home, whole=True, SPX_SERVING__LEDGER__SYNC="each") as service:
        found = process.run(Plan(port=int(service.client.base_url.port or 0), seconds=SECONDS / 2))
    return Line("POST /predict with SPX_SERVING__LEDGER__SYNC=each", found.rate, None, "requests/s", True)


def pauses(settings: Settings, port: int, *, swap: bool) -> tuple[float, Load]:
    """The longest time in which nobody of four was answered, the median over periods with a hot swap in each, or with none.

    Four clients leave the processors room: of what 32 wait for, most would be the machine.
    """
    times = settings.home / "times"
    plan = Plan(port=port, connections=4, pause_s=0.001, seconds=SWAPS * PERIOD_S + 1.0, times=str(times))
    with process.clients(plan) as under_way:
        time.sleep(0.5)
        begun = []
        for number in range(SWAPS):
            begun.append(time.perf_counter())
            if swap:
                homes.model(settings, version=f"20251016T16{number:02d}00Z-0001", bias=float(number))
            time.sleep(max(0.0, begun[-1] + PERIOD_S - time.perf_counter()))
        found = under_way.load()
    ended = np.fromfile(times)
    longest = [np.diff(ended[(ended >= at) & (ended < at + PERIOD_S)]).max(initial=0.0) for at in begun]
    return 1e3 * median(longest), found


def standstills(settings: Settings) -> tuple[float, float]:
    """The longest time between two ticks of the service's event loop, less a tick: in periods without and with a hot swap.

    The models lie there before, so that a swap is what it is for the service: another name in `current.json`.
    """
    made = [
        homes.model(settings, version=f"20251017T16{number:02d}00Z-0001", bias=float(number)).manifest for number in range(SWAPS)
    ]
    times = settings.home / "ticks"
    command = [sys.executable, "-m", "spx_assets_tests.load.ticks", str(times)]
    env = {**os.environ, "SPX_HOME": str(settings.home), "SPX_SERVING__POLL_S": "0.1"}
    with subprocess.Popen(
        command, env=env, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        begun = []
        for manifest in (None, *made, None, *[None] * SWAPS):
            begun.append(time.perf_counter())
            if manifest is not None:
                current.replace(settings.artifacts, manifest.name, champion=manifest.version, challenger=None, flagged=None)
            time.sleep(max(0.0, begun[-1] + PERIOD_S - time.perf_counter()))
        process.stdin.close()
        # Two names that follow one another within a look of the service are one swap: a median bears some periods without one.
        if (swaps := int(process.stdout.readline())) < 0.9 * SWAPS:
            raise RuntimeError(f"the service swapped {swaps} times of {SWAPS}")
    ticks = np.fromfile(times)
    longest = [np.diff(ticks[(ticks >= at) & (ticks < at + PERIOD_S)]).max(initial=0.0) - TICK_S for at in begun]
    return 1e3 * median(longest[SWAPS + 2 :]), 1e3 * median(longest[1 : SWAPS + 1])


def imported_s() -> float:
    """CPU of a process that imports the application, less that of one that imports nothing."""
    return spent_by("import serving.app") - spent_by("pass")


def spent_by(program: str) -> float:
    with spent() as used:
        subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)
    return used.cpu_s
