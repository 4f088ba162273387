"""Takes green back by itself: reads the metrics of both in turn and rolls back when green answers worse.

Belongs here: the sliding window, the decision's consequence. Does not: the rule (`compare`), the files (`split`).
"""

import logging
from collections import deque
from collections.abc import Callable
from time import monotonic

import httpx

from serving.rollout.compare import Counts, UnreachableError, read, worse
from serving.rollout.split import Split, SplitError, Splits
from spx_assets.settings import Settings

log = logging.getLogger(__name__)


class _Window:
    """What one colour counted in the last `span_s` seconds."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._last: Counts | None = None
        self._steps: deque[tuple[float, Counts]] = deque()

    def add(self, reading: Counts, now: float) -> None:
        if self._last is not None:
            self._steps.append((now, reading.since(self._last)))
        self._last = reading
        while self._steps and now - self._steps[0][0] > self._span_s:
            self._steps.popleft()

    def total(self) -> Counts:
        counts = Counts()
        for _, step in self._steps:
            counts = counts.plus(step)
        return counts


class Watch:
    """Looks at blue and green; `look()` once, or `run()` until told to stop."""

    def __init__(
        self, settings: Settings, *, announce: Callable[[Split, Split], None], clock: Callable[[], float] = monotonic
    ) -> None:
        """`announce` is told of each rollback: the split before and the one after."""
        self._settings, self._announce, self._clock = settings.deploy, announce, clock
        self._splits = Splits(settings)
        key = settings.deploy.key.get_secret_value()
        headers = {"authorization": f"Bearer {key}"} if key else {}
        tls = any(url.startswith("https:") for url in (settings.deploy.blue_url, settings.deploy.green_url))
        self._client = httpx.Client(timeout=settings.deploy.timeout_s, headers=headers, verify=tls)
        self._begin()

    def _begin(self) -> None:
        self._blue, self._green = _Window(self._settings.window_s), _Window(self._settings.window_s)
        self._silent = 0
        self._number: int | None = None

    def look(self) -> Split | None:
        """One look at both; the new split if green was taken back."""
        split = self._splits.current()
        if split is None:
            return None
        if split.number != self._number:
            # What was counted under another split says nothing of this one.
            self._begin()
            self._number = split.number
        why = self._judged()
        if why is None or split.green == 0:
            return None
        try:
            after = self._splits.change(0, by="watch", reason=why, only_after=split.number)
        except SplitError as error:
            log.info("green was not taken back: %s", error)
            return None
        log.warning("green was taken back: %s", why)
        self._announce(split, after)
        return after

    def _judged(self) -> str | None:
        now = self._clock()
        blue = self._reading(self._settings.blue_url)
        green = self._reading(self._settings.green_url)
        if blue is not None:
            self._blue.add(blue, now)
        if green is not None:
            self._green.add(green, now)
        self._silent = self._silent + 1 if green is None and blue is not None else 0
        if self._silent >= self._settings.unreachable:
            return f"green did not answer {self._silent} times in a row while blue did"
        return worse(self._blue.total(), self._green.total(), self._settings)

    def _reading(self, url: str) -> Counts | None:
        try:
            return read(self._client, url)
        except UnreachableError as error:
            log.warning("%s", error)
            return None

    def close(self) -> None:
        self._client.close()
