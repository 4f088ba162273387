"""Keep-alive HTTP/1.1 clients, each asking again as soon as it is answered.

Belongs here: asking, what became of each request, how long it took. Does not: starting a service, budgets.

Raw protocols on uvloop and not an HTTP library: the load shares two cores with the service it measures, and 15 us a request of
the one leave the other its own core (httpx takes 400).
"""

import asyncio
import resource
import signal
from array import array
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import cast

import msgspec
import numpy as np
import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
CONNECTING_AT_ONCE = 64
"""Fewer than a listening socket holds back (uvicorn: 2,048), so that no client waits for a SYN sent again."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, by how many and for how long."""

    port: int
    path: str = "/predict"
    method: str = "POST"
    body: str = '{"instrument":"SPX500_USD"}'
    headers: dict[str, str] = {}
    connections: int = 32
    seconds: float = 5.0
    """Until then, or until SIGTERM."""
    pause_s: float = 0.0
    """What a client waits between an answer and its next request."""
    answers: str | None = None
    """A file that takes the body of each answer, a line each."""
    times: str | None = None
    """A file that takes when each came, float64 of `perf_counter`, which all processes of a machine share."""

    @property
    def request(self) -> bytes:
        given = {"host": f"127.0.0.1:{self.port}", "content-type": "application/json", **self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        body = self.body.encode() if self.method == "POST" else b""
        if body:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. `refused` counts answers by a status other than 200; `lost` are requests without an answer."""

    answered: int
    clients_answered: int
    """Connections that got an answer with status 200."""
    refused: dict[str, int]
    lost: int
    wall_s: float
    cpu_s: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    longest_gap_ms: float
    """Between two answers, whoever got them."""

    @property
    def rate(self) -> float:
        return self.answered / self.wall_s

    @property
    def failed(self) -> int:
        return self.lost + sum(self.refused.values())


@dataclass
class Tally:
    """What the clients count together."""

    request: bytes
    pause_s: float
    keep: bool
    deadline: float = float("inf")
    took: "array[float]" = field(default_factory=lambda: array("d"))
    ended: "array[float]" = field(default_factory=lambda: array("d"))
    refused: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    bodies: list[bytes] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection. It asks once it is told to, then after each answer until the deadline."""

    def __init__(self, tally: Tally, done: asyncio.Future[None]) -> None:
        self._tally, self._done = tally, done
        self.answers = 0
        self._held = b""
        self._asked: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        if perf_counter() >= self._tally.deadline or self._transport.is_closing():
            self._transport.close()
            return
        self._asked = perf_counter()
        self._transport.write(self._tally.request)

    def data_received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        head = held.find(HEAD_END)
        begins = held.find(LENGTH, 0, head) + len(LENGTH)
        if head < 0 or len(held) < head + len(HEAD_END) + int(held[begins : held.index(b"\r", begins)]):
            self._held = held
            return
        self._held = b""
        self._answered(held[9:12], held[head + len(HEAD_END) :])

    def _answered(self, status: bytes, body: bytes) -> None:
        tally, now = self._tally, perf_counter()
        if status == b"200":
            assert self._asked is not None
            self.answers += 1
            tally.took.append(now - self._asked)
            tally.ended.append(now)
        else:
            tally.refused[status.decode()] = tally.refused.get(status.decode(), 0) + 1
        if tally.keep:
            tally.bodies.append(body)
        self._asked = None
        if tally.pause_s:
            asyncio.get_running_loop().call_later(tally.pause_s, self.ask)
        else:
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._asked is not None or perf_counter() < self._tally.deadline:
            self._tally.lost += 1
        if not self._done.done():
            self._done.set_result(None)


async def _run(plan: Plan) -> Load:
    loop = asyncio.get_running_loop()
    tally = Tally(plan.request, plan.pause_s, plan.answers is not None)
    gates = [loop.create_future() for _ in range(plan.connections)]
    clients: list[Client] = []
    for first in range(0, plan.connections, CONNECTING_AT_ONCE):
        made = [
            loop.create_connection(lambda gate=gate: Client(tally, gate), "127.0.0.1", plan.port)
            for gate in gates[first : first + CONNECTING_AT_ONCE]
        ]
        clients += [client for _, client in await asyncio.gather(*made)]
    began, cpu = perf_counter(), process_time()
    tally.deadline = began + plan.seconds
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    for place, client in enumerate(clients):
        # Spread over the pause, else all of them would ask in the same instant again and again.
        loop.call_later(plan.pause_s * place / len(clients), client.ask)
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait([stop, *gates], timeout=plan.seconds, return_when=asyncio.FIRST_COMPLETED)
    while not stop.done() and perf_counter() < tally.deadline:  # a connection was lost; the others go on
        await asyncio.wait([stop], timeout=tally.deadline - perf_counter())
    tally.deadline = min(tally.deadline, perf_counter())
    wall, spent = tally.deadline - began, process_time() - cpu
    stop.cancel()
    await asyncio.wait(gates, timeout=plan.pause_s + 10)
    unanswered = sum(not gate.done() for gate in gates)
    if plan.answers is not None:
        with open(plan.answers, "wb") as file:
            file.writelines(body + b"\n" for body in tally.bodies)
    if plan.times is not None:
        np.frombuffer(tally.ended, np.float64).tofile(plan.times)
    heard = sum(client.answers > 0 for client in clients)
    return _summary(tally, clients_answered=heard, wall_s=wall, cpu_s=spent, lost=tally.lost + unanswered)


def _summary(tally: Tally, *, clients_answered: int, wall_s: float, cpu_s: float, lost: int) -> Load:
    took = np.sort(np.frombuffer(tally.took, np.float64)) * 1e3 if tally.took else np.zeros(1)
    gaps = np.diff(np.frombuffer(tally.ended, np.float64)) * 1e3 if len(tally.ended) > 1 else np.zeros(1)
    return Load(
        answered=len(tally.took),
        clients_answered=clients_answered,
        refused=tally.refused,
        lost=lost,
        wall_s=wall_s,
        cpu_s=cpu_s,
        p50_ms=float(np.quantile(took, 0.5)),
        p99_ms=float(np.quantile(took, 0.99)),
        longest_ms=float(took[-1]),
        longest_gap_ms=float(gaps.max()),
    )


def run(plan: Plan) -> Load:
    """Ask as planned, in this process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(plan))
