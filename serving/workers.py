"""Several processes that serve from one socket: started, started again when they die, ended together.

Belongs here: the parent's work. Does not: what a worker does, uvicorn.

The parent owns the listening socket and has imported what workers use, but opened nothing. Workers are forked from it: to import
it again took each 2 CPU s and 90 MB. Libraries have threads of their own from their import on; all of them are idle at a fork.
Connections go to whichever worker takes them first, and one that dies takes only its own along.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import ForkProcess
from socket import socket
from types import FrameType

LOG = logging.getLogger(__name__)
YOUNG_S = 10.0
"""A worker that ends by itself before this age has failed to start: it takes about 1 s."""
LONGEST_PAUSE_S = 30.0
LOOK_S = 0.5

Work = Callable[[socket], None]


@dataclass
class _Place:
    """One of the workers, whichever process fills it."""

    number: int
    process: ForkProcess | None = None
    begun: float = 0.0
    failures: int = 0
    """How often in a row it has failed to start."""
    again: float = 0.0
    """Not to be filled before."""


class Workers:
    """`work(sock)` in so many processes, until SIGINT or SIGTERM."""

    def __init__(self, work: Work, sock: socket, *, count: int, grace_s: float) -> None:
        self._work, self._sock, self._grace_s = work, sock, grace_s
        self._places = [_Place(number) for number in range(1, count + 1)]
        self._fork = multiprocessing.get_context("fork")
        self._parent, self._held = os.pipe()
        """Who reads of it sees its end when the parent's has come, which alone holds the other side."""
        self._ending = False

    def run(self) -> bool:
        """False if no worker ever came up."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        try:
            while not self._ending:
                if not self._look():
                    return False
                running = [place.process.sentinel for place in self._places if place.process]
                connection.wait(running, timeout=LOOK_S)
            return True
        finally:
            self._stop()

    def _end(self, number: int, _: FrameType | None) -> None:
        LOG.info("%s: the workers end", signal.Signals(number).name)
        self._ending = True

    def _look(self) -> bool:
        """Fills empty places; False if all of them have failed from the beginning."""
        now = time.monotonic()
        for place in self._places:
            if place.process is not None and not place.process.is_alive():
                self._note(place, now)
            if place.process is None and now >= place.again:
                self._fill(place, now)
        return not all(place.process is None and place.failures for place in self._places)

    def _note(self, place: _Place, now: float) -> None:
        assert place.process is not None
        ended, place.process = place.process, None
        code = ended.exitcode or 0
        young = code >= 0 and now - place.begun < YOUNG_S
        place.failures = place.failures + 1 if young else 0
        place.again = now + min(2.0 ** (place.failures - 1), LONGEST_PAUSE_S) if young else now
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        LOG.error("worker %d, process %d, %s; another takes its place", place.number, ended.pid, how)
        ended.close()

    def _fill(self, place: _Place, now: float) -> None:
        place.process = self._fork.Process(target=self._worker, name=f"worker-{place.number}")
        place.process.start()
        place.begun = now
        LOG.info("worker %d is process %d", place.number, place.process.pid)

    def _stop(self) -> None:
        running = [place.process for place in self._places if place.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._grace_s
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                LOG.error("process %d did not end within %g s and is killed", process.pid, self._grace_s)
                process.kill()
                process.join()

    def _worker(self) -> None:
        os.close(self._held)
        # Until uvicorn takes them over, signals are nobody's but the parent's.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=self._end_with_parent, name="parent", daemon=True).start()
        self._work(self._sock)

    def _end_with_parent(self) -> None:
        """Without its parent a worker would hold the port that the next service needs."""
        os.read(self._parent, 1)
        os.kill(os.getpid(), signal.SIGTERM)
