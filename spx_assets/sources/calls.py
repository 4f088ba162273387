"""How often a provider may be asked: a budget of calls that every process of a home shares.

Belongs here: counting calls in a window and waiting for the next. Does not: making them, what a provider allows.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from spx_assets.sources.errors import RateLimitError
from spx_assets.sources.http import LONGEST_WAIT_S
from spx_assets.sources.landing import write_whole


class Budget:
    """At most `calls` calls within any `window_s`, counted in a file of the home.

    A call beyond them waits until one is free again, or raises RateLimitError where that takes more than two minutes.
    """

    def __init__(
        self,
        path: Path,
        *,
        provider: str,
        calls: int,
        window_s: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._provider, self._calls, self._window_s = path, provider, calls, window_s
        self._sleep, self._clock = sleep, clock

    def take(self) -> None:
        """Count one call, once it is free."""
        while (wait := self._try()) > 0:
            if wait > LONGEST_WAIT_S:
                free = datetime.fromtimestamp(self._clock() + wait, UTC)
                raise RateLimitError(
                    f"the {self._calls} calls that {self._provider} allows in {self._window_s / 3600:g} h are used; the next is "
                    f"free at {free:%Y-%m-%d %H:%M} UTC. Run the command again then, it resumes"
                )
            self._sleep(wait)

    def _try(self) -> float:
        """0 if a call was taken, else seconds until one is free."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock")):
            now = self._clock()
            # A clock set back would leave calls in the future that never end.
            recent = [at for at in self._read() if now - self._window_s < at <= now]
            if len(recent) >= self._calls:
                return recent[-self._calls] + self._window_s - now
            write_whole(self._path, json.dumps([*recent, now]).encode())
        return 0.0

    def _read(self) -> list[float]:
        try:
            return [float(at) for at in json.loads(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as error:
            raise RateLimitError(
                f"{self._path} no longer counts the calls made to {self._provider} ({error}); delete it if none were made today"
            ) from error
