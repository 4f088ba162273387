"""`spx backfill` and `spx train`: plan what is missing or stale and make it through Dagster, in this process.

Belongs here: turning asset names into runs over ranges of weeks. Does not: what stale means (`lake.staleness`).
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from spx_assets import SpxError, calendar
from spx_assets.assets.graph import OF_ARTICLES, asset_name, node, table_of, weeks_of_source
from spx_assets.automation import stale
from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.lake.records import newest
from spx_assets.lake.staleness import Status, status
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import feeds

# A progress bar's view of the work: asset, weeks done, weeks to do.
Progress = Callable[[str, int, int], None]


class BackfillError(SpxError):
    """A backfill cannot be planned or one of its runs failed."""


@dataclass(frozen=True)
class Step:
    """One Dagster run: an asset over a contiguous range of weeks."""

    asset: dg.AssetKey
    weeks: tuple[date, ...]


class Backfill:
    """Plans and runs backfills of one home."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
        self.instance = instance
        self.defs = build_defs(settings)
        self.graph: AssetGraph = self.defs.resolve_asset_graph()
        self.lake = Lake.open(settings)

    def keys(self, names: Sequence[str]) -> list[dg.AssetKey]:
        """Asset keys of names like gold/labels or silver/*; BackfillError lists the known ones."""
        # What has no weeks polls: that is of now, and the online job's.
        known = {asset_name(key): key for key in self.graph.materializable_asset_keys if self.graph.get(key).is_partitioned}
        chosen: list[dg.AssetKey] = []
        for name in names:
            matches = [key for text, key in known.items() if text == name or (name.endswith("/*") and text.startswith(name[:-1]))]
            if not matches:
                raise BackfillError(f"no asset named {name}; known: {', '.join(sorted(known))}")
            chosen += matches
        return chosen

    def weeks(self, first: date | None = None, last: date | None = None) -> list[date]:
        """Weeks for which a bound feed has rows, between `first` and `last`."""
        weeks = feeds.weeks_with_rows(self.lake)
        if not weeks:
            raise BackfillError("no feed has rows; bind one with `spx import candles PATH` or run `spx demo`")
        chosen = self._between(weeks, first, last)
        if not chosen:
            between = " ".join(f"{word} {week}" for word, week in (("from", first), ("to", last)) if week)
            raise BackfillError(
                f"no feed has rows {between}; choose weeks from {weeks[0]} to {weeks[-1]}, or import candles of those"
            )
        return chosen

    def run(
        self,
        names: Sequence[str],
        *,
        first: date | None = None,
        last: date | None = None,
        force: bool = False,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        progress: Progress | None = None,
    ) -> dict[str, int]:
        """Make the named assets over all weeks with rows (those of articles, with articles): missing and stale ones, and
        whatever is missing upstream.

        Models upstream are never trained unless they are named. `force` redoes every week of the named assets, not their
        upstream. `config` holds the run config of assets by name. Returns weeks made per asset. Each asset is planned when its
        turn comes, after its upstream was made.
        """
        named = self.keys(names)
        told = [key for key in named if asset_name(key) in OF_ARTICLES]
        candles = self.weeks(first, last) if len(told) < len(named) else []
        articles = self._between(weeks_of_source(self.lake, OF_ARTICLES[0]), first, last) if told else []
        needed = self._needed({key: articles if key in told else candles for key in named})
        made: dict[str, int] = {}
        for key in self._in_order(set(needed)):
            todo = self._todo(key, needed[key], force=force and key in named)
            made[asset_name(key)] = 0
            if progress:
                progress(asset_name(key), 0, len(todo))
            for step in self._steps(key, todo):
                self._execute(step, (config or {}).get(asset_name(key)))
                made[asset_name(key)] += len(step.weeks)
                if progress:
                    progress(asset_name(key), made[asset_name(key)], len(todo))
        return made

    def states(self) -> dict[str, dict[date, Status]]:
        """Per asset of the lake the state of every week its source has rows for.

        Models are trained by name alone; the weeks of costs are the wall's.
        """
        found: dict[str, dict[date, Status]] = {}
        for key in self._in_order(self.graph.materializable_asset_keys):
            if self.graph.get(key).is_partitioned and key.path[0] != "models" and asset_name(key) != "monitoring/costs":
                weeks = weeks_of_source(self.lake, asset_name(key))
                found[asset_name(key)] = status(
                    self.lake, node(self.graph, key), weeks, fingerprints=stale.fingerprints(self.lake, key, weeks)
                )
        return found

    @staticmethod
    def _between(weeks: Sequence[date], first: date | None, last: date | None) -> list[date]:
        return [week for week in weeks if (first is None or week >= first) and (last is None or week <= last)]

    def _needed(self, named: Mapping[dg.AssetKey, Sequence[date]]) -> dict[dg.AssetKey, set[date]]:
        """Per asset the weeks it must be fresh for, look-back included, so that the named ones can be made.

        Weeks an asset still holds rows for that no feed has any more, because a feed was replaced, count: made again they are
        empty, so that nothing downstream learns from rows that are gone.
        """
        candles, articles = (set(weeks_of_source(self.lake, asset)) for asset in ("bronze/candles", OF_ARTICLES[0]))

        def with_rows(key: dg.AssetKey) -> set[date]:
            return articles if asset_name(key) in OF_ARTICLES else candles

        def leftovers(key: dg.AssetKey) -> set[date]:
            if key.path[0] == "models":
                return set()
            held = newest(self.lake, table_of(key), asset_name(key))
            return {week for week, record in held.items() if record.rows and week not in with_rows(key)}

        needed = {key: set(weeks) | leftovers(key) for key, weeks in named.items()}
        for key in reversed(self._in_order(self.graph.materializable_asset_keys)):
            if key not in needed:
                continue
            for upstream in node(self.graph, key).inputs:
                parent = dg.AssetKey(upstream.asset.split("/"))
                if parent.path[0] == "models" and parent not in named:
                    continue
                wanted = {
                    week + timedelta(days=7 * offset)
                    for week in needed[key]
                    for offset in range(upstream.first_offset, upstream.last_offset + 1)
                }
                needed.setdefault(parent, set()).update(wanted & (with_rows(parent) | leftovers(parent)))
        return needed

    def _in_order(self, keys: Set[dg.AssetKey]) -> list[dg.AssetKey]:
        return [key for level in self.graph.toposorted_asset_keys_by_level for key in sorted(level) if key in keys]

    def _todo(self, key: dg.AssetKey, weeks: set[date], *, force: bool) -> list[date]:
        ordered = sorted(weeks)
        if force:
            return ordered
        state = status(self.lake, node(self.graph, key), ordered, fingerprints=stale.fingerprints(self.lake, key, ordered))
        return [week for week in ordered if state[week] != "fresh"]

    def _steps(self, key: dg.AssetKey, weeks: Sequence[date]) -> list[Step]:
        """Contiguous weeks in one run; models one run a week."""
        if key.path[0] == "models":
            return [Step(key, (week,)) for week in weeks]
        return [Step(key, tuple(run)) for run in calendar.week_runs(weeks)]

    def _execute(self, step: Step, config: Mapping[str, Any] | None) -> None:
        """One run in this process, recorded like any other; `config` is the asset's own."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        tags = {"spx/command": "backfill"}
        if len(step.weeks) > 1:
            tags["dagster/asset_partition_range_start"] = key_of(step.weeks[0])
            tags["dagster/asset_partition_range_end"] = key_of(step.weeks[-1])
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=[step.asset],
            partition_key=key_of(step.weeks[0]) if len(step.weeks) == 1 else None,
            tags=tags,
            run_config={
                # A failure is raised, and told in one line; its trace stands with the run, in the Dagster UI.
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                **({"ops": {step.asset.to_python_identifier(): {"config": dict(config)}}} if config else {}),
            },
            raise_on_error=True,
        )
        if not result.success:
            raise BackfillError(f"run {result.run_id} of {asset_name(step.asset)} failed; see it in the Dagster UI")
