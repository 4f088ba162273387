"""How busy the machine is: processors between two looks, memory and the home's disk now.

Belongs here: readings. Does not: limits, alerts (`watch`).
"""

from pathlib import Path

import msgspec
import psutil


class Processors(msgspec.Struct, frozen=True):
    """Seconds since the machine started, over all processors."""

    busy_s: float
    total_s: float


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Shares in percent; that of the processors is of the time since the look before, None at the first one."""

    cpu: float | None
    memory: float
    disk: float
    disk_free_bytes: int


def processors() -> Processors:
    times = psutil.cpu_times()
    # Guest time is part of user time.
    total = sum(value for name, value in times._asdict().items() if not name.startswith("guest"))
    idle = times.idle + getattr(times, "iowait", 0.0)
    return Processors(busy_s=total - idle, total_s=total)


def read(home: Path, before: Processors | None, now: Processors) -> Reading:
    """Readings for the disk of `home`. `before` of another start of the machine counts as none."""
    passed = now.total_s - before.total_s if before else 0.0
    # proc(5): the time waited for disks may step back, which would make more than all of it busy.
    busy = min(100.0, 100 * (now.busy_s - before.busy_s) / passed) if before and passed > 0 else None
    disk = psutil.disk_usage(str(home))
    return Reading(cpu=busy, memory=psutil.virtual_memory().percent, disk=disk.percent, disk_free_bytes=disk.free)
