"""How often a caller may call: one bucket a caller, kept in memory.

Belongs here: counting, and what an answer says of it. Does not: who the caller is (`gate`), sizes and times (`connections`).

The generic cell rate algorithm: of each caller only the instant is kept at which its bucket would be full again. Workers count
on their own: with N of them a caller that reaches all may make N times as many requests.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic
from typing import Final, NamedTuple

MORE: Final = "more"
"""Where the state of a call whose caller has a rate keeps what counts further ones: what a batch holds is not known before."""
IPV6_PREFIX = 64
"""One household or machine gets a whole /64: its 2^64 addresses are one caller."""


class Taken(NamedTuple):
    """What is left after a request: `wait_s` above 0 means that it was one too many."""

    wait_s: float
    left: int
    full_s: float


class Rate:
    """At most `per_s` requests a second of one caller, `burst` of them at once; 0 is no limit."""

    def __init__(self, name: str, *, per_s: float, burst_s: float, callers: int, clock: Callable[[], float] = monotonic) -> None:
        self.limited = per_s > 0
        self.burst = max(1, math.floor(per_s * burst_s))
        self._each_s = 1.0 / per_s if per_s else 0.0
        self._depth_s = self.burst * self._each_s
        self._callers, self._clock = callers, clock
        self._full_at: dict[str, float] = {}
        self._name = name.encode()
        self._policy = (b"ratelimit-policy", f'"{name}";q={self.burst};w={math.ceil(self._depth_s)}'.encode())

    def take(self, caller: str, requests: int = 1) -> Taken:
        """Counts requests; what is too many is not counted, so that who waits as told is served."""
        now = self._clock()
        # Taken out and put back, the dict stays in the order of the last request: the first is the one to forget.
        full_at = max(self._full_at.pop(caller, now), now)
        after = full_at + requests * self._each_s
        wait = after - self._depth_s - now
        if wait > 1e-9:
            self._full_at[caller] = full_at
            return Taken(wait, 0, full_at - now)
        self._full_at[caller] = after
        if len(self._full_at) > self._callers:
            del self._full_at[next(iter(self._full_at))]
        return Taken(0.0, int((self._depth_s - (after - now)) / self._each_s + 1e-6), after - now)

    def headers(self, taken: Taken) -> list[tuple[bytes, bytes]]:
        """RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10, and Retry-After for one too many."""
        told = b'"%s";r=%d;t=%d' % (self._name, taken.left, math.ceil(taken.wait_s or taken.full_s))
        headers = [self._policy, (b"ratelimit", told)]
        if taken.wait_s:
            headers.append((b"retry-after", b"%d" % math.ceil(taken.wait_s)))
        return headers

    def __len__(self) -> int:
        return len(self._full_at)


@lru_cache(4096)
def caller_at(address: str) -> str:
    """The caller behind an address: itself, or the network of an IPv6 one."""
    if ":" not in address:
        return address
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((known, IPV6_PREFIX), strict=False))
    return str(known.ipv4_mapped) if isinstance(known, IPv6Address) else str(known)
