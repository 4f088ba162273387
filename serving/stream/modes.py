"""Where the worker of a home runs: in the service's one process, or beside services that share a Redis.

Belongs here: which of both the settings mean, and what they may not mean. Does not: the worker. Light to import: the parent of
several serving processes asks.
"""

from spx_assets import SpxError
from spx_assets.settings import Settings


class StreamError(SpxError):
    """Nothing can be streamed as the settings say."""


class StreamWorkersError(StreamError):
    """Several processes of the service would each stream."""


class StreamBusyError(StreamError):
    """Another worker streams for this home."""


def worker_in_process(settings: Settings) -> bool:
    """Whether a process of the service runs the worker: where a source is set, and no Redis that a worker of its own fills."""
    return settings.stream.source not in (None, "off") and not settings.redis_url.get_secret_value()


def require_one(settings: Settings, workers: int) -> None:
    """StreamWorkersError where `workers` processes of the service would each run the worker: it is one a home."""
    if workers > 1 and worker_in_process(settings):
        raise StreamWorkersError(
            f"--workers {workers} with SPX_STREAM__SOURCE={settings.stream.source} would stream {workers} times; set "
            "SPX_REDIS_URL and run `spx stream` beside the service, or use --workers 1, or SPX_STREAM__SOURCE=off"
        )
