"""The service under load for minutes: `python -m spx_assets_tests.long.serving.soak --minutes 10`.

Belongs here: the load, what is read of the process meanwhile. Does not: what the figures must be (`test_soak`).

Clients ask without end, a model is swapped every ten seconds, and the memory is read every two.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from spx_assets_tests.integration.serving import homes, swaps
from spx_assets_tests.load import process
from spx_assets_tests.load.clients import Load, Plan

SWAP_EVERY_S = 10.0
LOOK_EVERY_S = 2.0


@dataclass(frozen=True)
class Soak:
    """`memory_mb` is the resident set, read every two seconds."""

    load: Load
    memory_mb: list[float]
    swaps: int

    @property
    def growth(self) -> float:
        """Last quarter over second quarter, less one: in the first one libraries are loaded and caches fill."""
        quarter = len(self.memory_mb) // 4
        return mean(self.memory_mb[-quarter:]) / mean(self.memory_mb[quarter : 2 * quarter]) - 1.0


def run(folder: Path, *, seconds: float, connections: int = 16) -> Soak:
    """A market made in `folder`, served and asked for `seconds`."""
    home = folder / "home"
    homes.market(homes.settings_of(home)).close()
    with swaps.service(home, folder / "served", whole=True) as served:
        pid, memory, count = served.running.process.pid, [], 0
        plan = Plan(port=served.port, connections=connections, seconds=seconds, pause_s=0.005)
        with process.clients(plan) as under_way:
            began = swapped = time.monotonic()
            while under_way.under_way and time.monotonic() - began < seconds:
                memory.append(process.memory_mb(pid))
                if time.monotonic() - swapped >= SWAP_EVERY_S:
                    served.swap()
                    swapped, count = time.monotonic(), count + 1
                time.sleep(LOOK_EVERY_S)
            return Soak(under_way.load(), memory, count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    with tempfile.TemporaryDirectory(prefix="spx-soak-") as given:
        found = run(Path(given), seconds=60 * parser.parse_args().minutes)
    print(f"{found.load.answered} answers, {found.load.rate:.0f}/s, p99 {found.load.p99_ms:.1f} ms, {found.load.failed} failed")
    print(f"{found.swaps} swaps; memory {found.memory_mb[0]:.0f} MB at first, {max(found.memory_mb):.0f} MB at most")
    print("every ten seconds:", *(f"{mb:.0f}" for mb in found.memory_mb[::5]), "MB")
    print(f"last quarter over second quarter: {100 * found.growth:+.1f} %")
