"""Which rows a trading day has: those asked for, those of its history, and where its recursions begin.

Belongs here: rows as numbers, and how far windows reach. Does not: columns, the rules of the calendar (`market_time`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

# Rows before a bar that its windows may reach back to: the longest look-back is 360 minutes, and a mean of 240 values of 60
# bars each. A percentile looks back 1,400 bars, 20 completed hours at most 1,260.
RECENT, PAST_DAY = 400, 1440
SETTLED = 28  # e^-28 is 7e-13

# A call of numpy costs as much as 600 rows of its work. Ten days of a column are 110 KB, and nine of them lie in a cache of
# 1 MB: kernels take a tenth less than of five days at once, and of fifteen no less than of ten.
DAYS_AT_ONCE = 10


class Span(NamedTuple):
    """Rows of one trading day: the first of its history, the first asked for, and the one after the last."""

    start: int
    first: int
    stop: int


@dataclass(frozen=True)
class Day:
    """One trading day and its rows: the first of its history, its own first, the first asked for, the one after the last."""

    date: date
    start: int
    opened: int
    first: int
    stop: int

    def settled(self, memory: float) -> int:
        """First row for a recursion that forgets 1/`memory` of its state a row: of where it began, under 1e-12 is left."""
        for rows in (RECENT, PAST_DAY):
            if memory * SETTLED <= rows:
                return max(self.opened - rows, self.start)
        return self.start


def together(spans: Iterable[Span]) -> list[list[Span]]:
    """Spans in order, in groups that kernels may answer for in one call.

    Days whose histories are longer than any window see the same rows whether they are asked for alone or together. A day near
    the beginning of its history stands alone, so that its windows end there.
    """
    groups: list[list[Span]] = []
    for span in spans:
        group = groups[-1] if groups else []
        long = all(one.first - one.start >= PAST_DAY for one in (*group[:1], span))
        if group and long and len(group) < DAYS_AT_ONCE and span.first == group[-1].stop:
            group.append(span)
        else:
            groups.append([span])
    return groups
