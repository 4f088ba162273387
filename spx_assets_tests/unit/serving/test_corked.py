"""Writes of one turn of the loop leave as one."""

import asyncio
from typing import cast

from serving.corked import MOST, Corked


class Wire:
    """What reaches the transport, each write apart."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> str:
        return f"info of {name}"


def test_writes_of_a_turn_are_one_and_none_is_held_at_its_end_or_once_there_is_much() -> None:
    async def turns() -> Wire:
        wire = Wire()
        corked = Corked(cast(asyncio.Transport, wire), asyncio.get_running_loop())
        corked.write(b"head ")
        corked.write(b"body")
        assert wire.sent == []
        await asyncio.sleep(0)
        corked.write(b"next")
        await asyncio.sleep(0)
        corked.write(b"x" * MOST)
        corked.write(b"y")
        assert wire.sent[2:] == [b"x" * MOST + b"y"]
        corked.write(b"last")
        corked.close()
        corked.write(b"too late")
        await asyncio.sleep(0)
        assert corked.get_extra_info("peername") == "info of peername"
        return wire

    wire = asyncio.run(turns())
    assert [wire.sent[0], wire.sent[1], wire.sent[3]] == [b"head body", b"next", b"last"]
    assert len(wire.sent) == 4
    assert wire.closed
