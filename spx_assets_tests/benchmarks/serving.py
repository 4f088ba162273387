"""The service over a socket: forecasts a second, their slowest hundredth, and the pause of a hot swap.

Belongs here: what is asked of which service, the budgets. Does not: the clients (`load`), proofs of what is answered.

Clients and service share the machine's two cores, so each rate stands beside what both spend on a request.
"""

import time

from spx_assets.settings import Settings, load
from spx_assets_tests.benchmarks.line import Line
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.load import process
from spx_assets_tests.load.clients import Load, Plan

SECONDS = 8.0
SWAPS = 20


def run() -> list[Line]:
    settings = homes.settings_of(load().home)
    homes.model_inputs(homes.market(settings)).clear()
    homes.model(settings)
    with homes.running(settings.home) as service:
        port, pid = int(service.client.base_url.port or 0), service.process.pid
        process.run(Plan(port=port, seconds=1.0))
        spent = process.cpu_s(pid)
        found = process.run(Plan(port=port, seconds=SECONDS))
        spent = process.cpu_s(pid) - spent
        swapped = swapping(settings, port)
        return [
            Line("POST /predict, one worker, 32 connections", found.rate, 5_000, "requests/s", True),
            Line("its slowest hundredth", found.p99_ms, 10.0, "ms"),
            Line("the service's CPU for one", 1e6 * spent / found.answered, None, "us"),
            Line("the clients' CPU for one", 1e6 * found.cpu_s / found.answered, None, "us"),
            Line("its failed requests", found.failed, 0.5, "requests"),
            Line("longest gap between answers, nothing swapped", found.longest_gap_ms, None, "ms"),
            Line(f"longest gap between answers in {SWAPS} hot swaps", swapped.longest_gap_ms, 5.0, "ms"),
            Line("failed requests of those swaps", swapped.failed, 0.5, "requests"),
            Line("the service's peak memory", process.memory_mb(pid, "VmHWM"), 300.0, "MiB"),
        ]


def swapping(settings: Settings, port: int) -> Load:
    """Clients at work while the served model is swapped again and again."""
    with process.clients(Plan(port=port, seconds=SWAPS * 0.4 + 1.0)) as under_way:
        for swap in range(SWAPS):
            homes.model(settings, version=f"20251016T16{swap:02d}00Z-0001", bias=float(swap))
            time.sleep(0.4)
        return under_way.load()
