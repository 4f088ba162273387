"""The IO manager between assets and the lake: windows in, chunks out.

Belongs here: what a partition mapping allows becomes a `Window`; what a body returns is committed week by week with its
partition records. Does not: computing rows, deciding staleness.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date
from typing import Any

import dagster as dg
from dagster._core.execution.context.metadata_logging import AssetMetadataHandle, OutputMetadataAccumulator

from spx_assets import calendar
from spx_assets.assets import describe
from spx_assets.assets.graph import asset_name, node, table_of, weeks_of_source
from spx_assets.lake import Chunk, Chunks, Lake, Window
from spx_assets.lake.records import RETENTION, PartitionRecord, newest
from spx_assets.lake.staleness import inputs_hashes
from spx_assets.lake.tables import table
from spx_assets.partitions import key_of, week_of_key
from spx_assets.settings import Settings
from spx_assets.sources import feeds


def weeks_of(step: Any) -> tuple[date, ...]:
    """The trading weeks a step makes, one or a range."""
    keys = step.partition_key_range
    return tuple(calendar.week_range(week_of_key(keys.start), week_of_key(keys.end)))


def record_metadata(record: PartitionRecord) -> dict[str, Any]:
    """What the UI shows of one committed week."""
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(record.rows),
        "content_hash": record.content_hash,
        "inputs_hash": record.inputs_hash,
        "read_snapshot": record.read_snapshot,
    }


class LakeIOManager(dg.IOManager):
    """Gives bodies `lake.Window`s at one snapshot a step and replaces partitions with the `lake.Chunks` they return."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._snapshots: dict[tuple[str, str], int] = {}

    @property
    def lake(self) -> Lake:
        return Lake.open(self._settings)

    def load_input(self, context: dg.InputContext) -> Window:
        """The upstream table over the weeks the mapping allows, at the step's snapshot.

        Reading a week of it that its source has rows for and that was never made is LookbackMissingError.
        """
        step = context.step_context
        snapshot = self._snapshots.setdefault((step.run_id, step.step.key), self.lake.snapshot())
        keys, window = context.asset_partition_key_range, context.asset_partitions_time_window
        first, last = week_of_key(keys.start), week_of_key(keys.end)
        upstream = asset_name(context.asset_key)
        made = newest(self.lake, table_of(context.asset_key), upstream, snapshot=snapshot)
        with_rows = weeks_of_source(self.lake, upstream)
        return Window(
            lake=self.lake,
            table=table(table_of(context.asset_key)),
            start=window.start.astimezone(UTC),
            end=window.end.astimezone(UTC),
            weeks=weeks_of(step),
            snapshot=snapshot,
            # What retention deleted may not be looked back on: the numbers would be others than those made of it.
            unmade=frozenset(
                week for week in with_rows if first <= week <= last and (week not in made or made[week].run_id == RETENTION)
            ),
        )

    def handle_output(self, context: dg.OutputContext, obj: Chunks) -> None:
        """Commit as chunks come; if one fails, the weeks before it stay and are recorded as materialised."""
        step = context.step_context
        snapshot = self._snapshots.pop((step.run_id, step.step.key), None) or self.lake.snapshot()
        target = node(step.job_def.asset_layer.asset_graph, context.asset_key)
        clocks = feeds.clocks(self.lake, snapshot=snapshot)
        committed: list[PartitionRecord] = []
        told: dict[date, dict[str, Any]] = {}

        def noted() -> Iterator[Chunk]:
            for chunk in obj:
                for week in chunk.weeks:
                    told[week] = {**chunk.told.get(week, {}), **describe.pictures(chunk.pictures.get(week, {}))}
                yield chunk

        try:
            for records in self.lake.replace_all(
                target.table,
                Chunks(noted()),
                asset=target.asset,
                run_id=step.run_id,
                read_snapshot=snapshot,
                inputs_hashes=lambda chunk: inputs_hashes(
                    self.lake, target, chunk.weeks, fingerprints=chunk.fingerprints, snapshot=snapshot
                ),
                clocks=clocks,
            ):
                committed += records
        except BaseException:
            for record in committed:
                context.log_event(
                    dg.AssetMaterialization(context.asset_key, partition=key_of(record.week), metadata=record_metadata(record))
                )
            raise
        _show(step, context.asset_key, committed, told)


def _show(step: Any, key: dg.AssetKey, records: Sequence[PartitionRecord], told: Mapping[date, Mapping[str, Any]]) -> None:
    """What `add_asset_metadata` does for each week, for all of them at once.

    Each of its calls lists the weeks of the run and copies what those before it said: 4 CPU s for 262 weeks of 10 assets.
    """
    said = dict(step._metadata_accumulator.per_output_metadata)
    for record in records:
        week = AssetMetadataHandle(asset_key=key, partition_key=key_of(record.week))
        said[week] = {**said.get(week, {}), **record_metadata(record), **told.get(record.week, {})}
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata=said)
