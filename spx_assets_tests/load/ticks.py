"""A service without clients that writes down when its event loop turned: `python -m spx_assets_tests.load.ticks FILE`.

Belongs here: the loop's ticks, in a process set up as a worker is. Does not: what happens to it meanwhile, budgets.

Clients measure the machine as well: on two cores that they share with the service, the longest that one of them waits for is
another process's turn.
"""

import asyncio
import gc
import sys
import time
from array import array
from pathlib import Path

import uvloop

from serving import run
from serving.service import Service
from spx_assets.settings import load

TICK_S = 0.001


async def _ticks(file: Path) -> None:
    service = Service(load())
    await service.start()
    gc.collect()
    gc.freeze()
    loop, ended, times, swaps = asyncio.get_running_loop(), asyncio.Event(), array("d"), 0
    loop.add_reader(sys.stdin, ended.set)
    served = service.models.models
    print("ready", flush=True)
    while not ended.is_set():
        await asyncio.sleep(TICK_S)
        times.append(time.perf_counter())
        if service.models.models != served:
            served, swaps = service.models.models, swaps + 1
    file.write_bytes(times.tobytes())
    print(swaps, flush=True)
    await service.stop()


if __name__ == "__main__":
    sys.setswitchinterval(run.SWITCH_INTERVAL_S)
    uvloop.run(_ticks(Path(sys.argv[1])))
