"""The end of the service while somebody listens: nobody is waited for."""

import asyncio
import time

import uvloop

from spx_assets_tests.unit.serving.sockets import EVENTS, WEBSOCKET, listening


def test_listeners_are_told_and_do_not_delay_the_end() -> None:
    async def end() -> None:
        async with listening(write_s=60, backlog=4, heartbeat_s=60) as stream:
            deaf = [await stream.connect(request) for request in (EVENTS, WEBSOCKET)]
            while stream.hub.dropped < 2:
                stream.publish(size=1 << 20)
                await asyncio.sleep(0)
            told, socket = await stream.connect(EVENTS), await stream.connect(WEBSOCKET)
            began, loop = time.monotonic(), asyncio.get_running_loop()
            stream.server.should_exit = True
            await asyncio.wait_for(stream.task, 30)
            assert time.monotonic() - began < 8.0  # who waited for them would take the 10 s of grace
            assert stream.connections == 0
            assert b'event: dropped\ndata: {"reason": "the service ends"}' in await loop.sock_recv(told, 4096)
            assert b"\x03\xf4" in await loop.sock_recv(socket, 4096)  # 1012
            for client in (*deaf, told, socket):
                client.close()

    uvloop.run(end())
