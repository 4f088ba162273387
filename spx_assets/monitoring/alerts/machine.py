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
    """Shares in percent; that of the processors is of the time since `since`, None where that is too short to tell."""

    cpu: float | None
    memory: float
    disk: float
    disk_free_bytes: int
    since: Processors
    """What the next look counts from."""


SUSTAINED_S = 240.0
"""Looks are five minutes apart. One that comes sooner would take a peak of seconds for a busy machine."""


def processors() -> Processors:
    times = psutil.cpu_times()
    # Guest time is part of user time.
    total = sum(value for name, value in times._asdict().items() if not name.startswith("guest"))
    idle = times.idle + getattr(times, "iowait", 0.0)
    return Processors(busy_s=total - idle, total_s=total)


def read(home: Path, before: Processors | None, now: Processors) -> Reading:
    """Readings for the disk of `home`. `before` of another start of the machine counts as none."""
    passed = now.total_s - before.total_s if before else 0.0
    busy, since = None, now
    if before and 0 <= passed < SUSTAINED_S * (psutil.cpu_count() or 1):
        since = before
    elif before and passed > 0:
        # proc(5): the time waited for disks may step back, which would make more than all of it busy.
        busy = min(100.0, 100 * (now.busy_s - before.busy_s) / passed)
    disk = psutil.disk_usage(str(home))
    return Reading(cpu=busy, memory=psutil.virtual_memory().percent, disk=disk.percent, disk_free_bytes=disk.free, since=since)
