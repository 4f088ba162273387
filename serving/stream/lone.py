"""The worker as a process of its own: `spx stream`.

Belongs here: its settings, its outlet. Does not: the worker, the command's options.
"""

from collections.abc import Mapping
from contextlib import suppress

from pydantic import ValidationError

from serving.stream.modes import StreamError
from serving.stream.outlet import Outlet
from serving.stream.worker import Worker
from serving.vectors import Vector
from spx_assets.lake import Lake
from spx_assets.settings import Settings, StreamSettings
from spx_assets.sources import bindings
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import SIMULATOR


class LakeOutlet:
    """Nobody but the lake: services see the bars there a few seconds later. For a worker beside services without Redis."""

    def rows(self, instrument: str) -> int:
        return 1

    def put(self, vector: Vector) -> None:
        """Services make it of the lake."""

    def tell(self, bar: Bar) -> None:
        """Nobody listens."""

    def withdraw(self, instrument: str) -> None:
        """Nothing was put."""

    def release(self) -> None:
        """Nothing was put."""

    def look(self) -> None:
        """Nothing can fail."""

    def problems(self) -> list[str]:
        return []


def run(settings: Settings, asked: Mapping[str, object], *, bars: int | None = None) -> int:
    """Stream until the source's end, so many bars, or Ctrl-C; how many were taken. `asked` goes before the settings."""
    try:
        chosen = StreamSettings.model_validate({**settings.stream.model_dump(), **asked})
    except ValidationError as error:
        words = ", ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise StreamError(f"nothing can be streamed so: {words}") from error
    if chosen.source in (None, "off"):
        chosen = chosen.model_copy(update={"source": _fitting(settings)})
    settings = settings.model_copy(update={"stream": chosen})
    worker = Worker(settings, _outlet(settings))
    with suppress(KeyboardInterrupt):
        worker.run(bars=bars)
    return worker.bars


def _fitting(settings: Settings) -> str:
    """The source that fits the feeds of the home."""
    providers = {feed.provider for feed in bindings.feeds(Lake.open(settings, read_only=True)).values()}
    if providers == {SIMULATOR}:
        return "simulator"
    if "oanda" in providers and settings.oanda.account:
        return "oanda"
    raise StreamError(f"say with --source what to stream: the home has feeds of {', '.join(sorted(providers)) or 'no provider'}")


def _outlet(settings: Settings) -> Outlet:
    if not settings.redis_url.get_secret_value():
        return LakeOutlet()
    from serving.stream.redis_store import RedisStore
    from serving.stream.shared import RedisOutlet, ServedRows

    return RedisOutlet(RedisStore(settings), ServedRows(settings))
