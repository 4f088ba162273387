"""Clients that never read: they are cut, and what they held is free."""

import asyncio
import os
import time

import pytest
import uvloop

from spx_assets_tests.unit.serving.sockets import EVENTS, WEBSOCKET, listening


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("request_", [EVENTS, WEBSOCKET], ids=["events", "websocket"])
def test_a_deaf_listener_is_cut_in_time_and_its_descriptor_is_free(request_: str) -> None:
    async def deafen() -> None:
        async with listening(write_s=0.1, backlog=8, heartbeat_s=60) as stream:
            before = descriptors()
            client = await stream.connect(request_)
            assert (descriptors(), stream.connections) == (before + 2, 1)
            began = time.monotonic()
            while stream.hub.dropped == 0:
                stream.publish(size=1 << 20)  # past what the kernel holds for it
                await asyncio.sleep(0)
            assert stream.hub.listeners == 0
            await stream.until(lambda: stream.connections == 0)
            assert time.monotonic() - began < 15.0
            await stream.until(lambda: descriptors() == before + 1)
            client.close()

    uvloop.run(deafen())


def test_who_reads_slowly_stays() -> None:
    """Six megabytes, more than the kernel holds, over several looks of the clock."""

    async def read() -> None:
        async with listening(write_s=0.1, backlog=64, heartbeat_s=60) as stream:
            client = await stream.connect(EVENTS, room=1 << 17)
            for _ in range(6):
                stream.publish(size=1 << 20)
            found, began = 0, time.monotonic()
            while found < 6 << 20:
                found += len(got := await asyncio.get_running_loop().sock_recv(client, 1 << 17))
                assert got, f"cut after {found} bytes"
                await asyncio.sleep(0.01)
            assert time.monotonic() - began > 0.3
            assert (stream.connections, stream.hub.listeners, stream.hub.dropped) == (1, 1, 0)
            client.close()

    uvloop.run(read())
