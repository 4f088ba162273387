"""Who gets new bars and their vectors.

Belongs here: what a worker needs of them, and the one for a worker inside the service. Does not: Redis (`redis_store`), sockets
(`hub`).
"""

from collections.abc import Callable
from typing import Protocol

from serving.vectors import Vector, VectorStore
from spx_assets.sources.bars import Bar


class Outlet(Protocol):
    """The online store as a worker sees it."""

    def rows(self, instrument: str) -> int:
        """How many bars of its day the vectors of an instrument are to hold."""
        ...

    def put(self, vector: Vector) -> None:
        """Let a vector answer."""
        ...

    def tell(self, bar: Bar) -> None:
        """A new bar; its vector, if it has one, was put before."""
        ...

    def withdraw(self, instrument: str) -> None:
        """The newest bar of the instrument has no vector."""
        ...

    def release(self) -> None:
        """No new bars will come."""
        ...

    def look(self) -> None:
        """Called every second: the time to put again what could not be."""
        ...

    def problems(self) -> list[str]:
        """Why what was put may not be read."""
        ...


class MemoryStore:
    """The service's own vectors: a worker in the same process puts, requests read."""

    def __init__(self, vectors: VectorStore, tell: Callable[[Bar], None]) -> None:
        self._vectors, self._tell = vectors, tell

    def rows(self, instrument: str) -> int:
        return self._vectors.rows(instrument)

    def put(self, vector: Vector) -> None:
        self._vectors.put(vector)

    def tell(self, bar: Bar) -> None:
        self._tell(bar)

    def withdraw(self, instrument: str) -> None:
        self._vectors.withdraw(instrument)

    def release(self) -> None:
        self._vectors.release()

    def look(self) -> None:
        """There is nothing that could fail."""

    def problems(self) -> list[str]:
        return []
