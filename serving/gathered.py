"""The metrics of all workers in one answer, whichever of them is asked.

Belongs here: what workers leave for one another, joining it. Does not: counting (`metrics`).

Workers share a socket and nothing else, so a scrape reaches any of them. Each leaves its own text in a file every two seconds;
who is asked adds those of the others to its own, each sample with the label `worker`, as Prometheus sums over labels and takes
the restart of one for what it is. A single process has no such label and no file.
"""

import asyncio
import logging
import multiprocessing
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from serving.metrics import Metrics
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
LEAVE_S = 2.0
STALE_S = 10.0
"""A file that was not written for so long is of a worker that died."""
SUFFIX = ".prom"


class Gathered:
    """Metrics of this process, and of the workers beside it."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        parent = multiprocessing.parent_process()
        self._name = multiprocessing.current_process().name if parent else None
        self._folder = settings.home / "serving" / "metrics" / str(parent.pid if parent else 0)
        self._leaving: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._name is not None:
            self._leaving = asyncio.create_task(self._leave(self._folder / f"{self._name}{SUFFIX}"), name="metrics")

    async def stop(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            with suppress(asyncio.CancelledError):
                await self._leaving
            with suppress(OSError):
                (self._folder / f"{self._name}{SUFFIX}").unlink()
                self._folder.rmdir()

    async def text(self) -> bytes:
        """All there is in the text format, this process's own to the moment."""
        own = self._metrics.text()
        return own if self._name is None else await asyncio.to_thread(joined, self._folder, self._name, own)

    async def _leave(self, path: Path) -> None:
        with suppress(OSError):  # another worker sweeps as well
            await asyncio.to_thread(_sweep, self._folder)
        while True:
            try:
                await asyncio.to_thread(_replace, path, self._metrics.text())
            except OSError as error:
                LOG.error("other workers do not see the metrics of %s: %s", self._name, error)
            await asyncio.sleep(LEAVE_S)


class _Joined(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def joined(folder: Path, name: str, own: bytes) -> bytes:
    """`own` text of the worker `name`, and what others have left in `folder` of late, told apart by a label."""
    texts = {name: own.decode()}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(FileNotFoundError):
            if path.stem != name and time.time() - path.stat().st_mtime < STALE_S:
                texts[path.stem] = path.read_text()
    families: dict[str, Metric] = {}
    for worker, text in texts.items():
        for family in text_string_to_metric_families(text):
            kept = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            kept.samples += [sample._replace(labels={**sample.labels, "worker": worker}) for sample in family.samples]
    registry = CollectorRegistry()
    registry.register(_Joined(list(families.values())))
    return generate_latest(registry)


def _sweep(own: Path) -> None:
    """Remove what the workers of services that were killed have left."""
    for folder in own.parent.glob("*"):
        if folder != own and not any(time.time() - path.stat().st_mtime < STALE_S for path in (folder, *folder.glob("*"))):
            shutil.rmtree(folder, ignore_errors=True)


def _replace(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(text)
    part.replace(path)
