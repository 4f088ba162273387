"""One line of the budget table, and how CPU and memory are read."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A measured quantity beside its budget; `at_least` where more is better.

    `measured` is None where this machine cannot do the work, `budget` where the figure only stands beside another.
    """

    work: str
    measured: float | None
    budget: float | None
    unit: str
    at_least: bool = False

    @property
    def share(self) -> float | None:
        """Measured over budget, or budget over measured where more is better: below 1 is kept."""
        if self.measured is None or self.budget is None:
            return None
        return self.budget / self.measured if self.at_least else self.measured / self.budget

    @property
    def missed(self) -> bool:
        return self.share is not None and self.share > 1.0

    @property
    def verdict(self) -> str:
        """kept, missed or not measured; nothing of a figure without a budget."""
        if self.measured is None:
            return "not measured"
        return "" if self.budget is None else "missed" if self.missed else "kept"


@dataclass
class Spent:
    cpu_s: float = 0.0
    wall_s: float = 0.0


def cpu_seconds() -> float:
    """User and system time of this process and its ended children, all threads."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_rss_gib() -> float:
    """Largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@contextmanager
def spent() -> Iterator[Spent]:
    """CPU and wall seconds of a block."""
    result = Spent()
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield result
    result.cpu_s, result.wall_s = cpu_seconds() - cpu, time.perf_counter() - wall
