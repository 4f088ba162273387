"""Ids of predictions: UUIDs of version 7 (RFC 9562), which sort by the time of the answer.

Belongs here: making them, and the time inside one. Does not: what they name.

48 bits of milliseconds, 12 of the rest in 1/4096 ms, 62 random: a ledger sorted by id is sorted by time, an id says where in a
table of months it lies, and two processes that answer in the same quarter of a microsecond still differ.
"""

import os
import random
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM = random.Random()
_END_MS = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
"""48 bits reach to the year 10889, the calendar does not."""
LENGTH = 36
os.register_at_fork(after_in_child=_RANDOM.seed)


def new(at_us: int | None = None) -> int:
    """The number of a new id, for an answer of `at_us` microseconds since 1970 (default: now)."""
    at = time.time_ns() // 1000 if at_us is None else at_us
    ms, us = divmod(at, 1000)
    return ms << 80 | _VERSION | (us << 12) // 1000 << 64 | _VARIANT | _RANDOM.getrandbits(62)


def text(number: int) -> str:
    """The id as it is written: 8-4-4-4-12 hexadecimal digits."""
    h = f"{number:032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def number(written: str) -> int | None:
    """The number of a written id; None if it is none of ours."""
    digits = written.replace("-", "")
    if len(written) != LENGTH or len(digits) != 32:
        return None
    try:
        found = int(digits, 16)
    except ValueError:
        return None
    ours = text(found) == written.lower() and found >> 76 & 0xF == 7 and found >> 80 < _END_MS
    return found if ours else None


def microseconds(found: int) -> int:
    """When an id was made, in microseconds since 1970; exact to a quarter of one."""
    return (found >> 80) * 1000 + ((found >> 64 & 0xFFF) * 1000 >> 12)


def answered_at(written: str) -> datetime:
    """The millisecond in which a written id was made."""
    return _EPOCH + timedelta(milliseconds=int(written.replace("-", "")[:12], 16))


def earliest(at: datetime) -> str:
    """What no id of this millisecond or a later one is before."""
    return text(max((at - _EPOCH) // timedelta(milliseconds=1), 0) << 80)
