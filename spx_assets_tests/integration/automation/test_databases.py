"""The home's own storages say the same as Dagster's, batch by batch or event by event."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage

from spx_assets.automation import instance as instances
from spx_assets.settings import Settings

WEEKS = dg.WeeklyPartitionsDefinition(start_date="2019-01-06")
KEYS = ["2019-01-06", "2019-01-13", "2019-01-20"]
BARS = dg.AssetKey(["bars"])


@dg.asset(key=BARS, partitions_def=WEEKS, backfill_policy=dg.BackfillPolicy.single_run(), code_version="7")
def bars(context: dg.AssetExecutionContext) -> None:
    for i, key in enumerate(context.partition_keys):
        context.add_asset_metadata({"rows": i}, asset_key=BARS, partition_key=key)


@dg.asset(deps=[bars], partitions_def=WEEKS, backfill_policy=dg.BackfillPolicy.single_run())
def features() -> None: ...


@dg.asset_check(asset=bars)
def whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], dg.DagsterInstance]]:
    """Opens the home's instance with a given size of a batch."""
    for name in ("SPX_HOME", "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    opened: list[dg.DagsterInstance] = []

    def of(batch: str) -> dg.DagsterInstance:
        os.environ["DAGSTER_EVENT_BATCH_SIZE"] = batch
        changed = settings.model_copy(update={"home": settings.home / batch})
        instances.place(changed)
        opened.append(dg.DagsterInstance.get())
        return opened[-1]

    yield of
    for each in opened:
        each.dispose()


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions([bars, features], asset_checks=[whole])
    tags = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance, tags=tags)


def told(instance: dg.DagsterInstance, run_id: str) -> dict[str, Any]:
    """What the instance says of a run, without ids and times."""
    events = instance.event_log_storage
    records = {record.asset_entry.asset_key: record.asset_entry for record in instance.get_asset_records([BARS, features.key])}
    entry = records[BARS].last_materialization
    newest = entry.asset_materialization if entry else None
    assert newest is not None
    return {
        "log": sorted(
            (str(e.dagster_event_type), e.dagster_event.partition or "", str(e.dagster_event.asset_key))
            for e in instance.all_logs(run_id)
            if e.dagster_event
        ),
        "rows": {
            record.partition_key: record.asset_materialization.metadata["rows"].value
            for record in instance.fetch_materializations(BARS, limit=9).records
            if record.asset_materialization
        },
        "made": {key: instance.get_materialized_partitions(key) for key in records},
        "planned": len(
            instance.get_event_records(
                dg.EventRecordsFilter(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, asset_key=BARS), limit=9
            )
        ),
        "last": (newest.partition, newest.metadata["rows"].value, records[BARS].last_run_id == run_id),
        "versions": {
            key: tags["dagster/data_version"]
            for key, tags in events.get_latest_tags_by_partition(
                BARS, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
            ).items()
        },
        "checks": [
            (record.status.value, record.run_id == run_id)
            for record in events.get_asset_check_execution_history(dg.AssetCheckKey(BARS, "whole"), limit=5)
        ],
    }


def test_a_batch_says_the_same_as_its_events_one_by_one(home: Callable[[str], dg.DagsterInstance]) -> None:
    single = home("0")
    alone = told(single, run(single).run_id)
    together = home("1000")
    batched = told(together, run(together).run_id)
    assert batched == alone
    assert batched["rows"] == dict(zip(KEYS, range(3), strict=True))
    assert batched["made"] == {BARS: set(KEYS), features.key: set(KEYS)}
    assert batched["last"] == (KEYS[-1], 2, True)
    assert batched["planned"] == 3
    assert set(batched["versions"]) == set(KEYS)
    # Dagster plans a check once for each week of the run and evaluates it once.
    assert batched["checks"] == [("SUCCEEDED", True), *[("PLANNED", True)] * 3]


def planned(run_id: str, partition: str) -> EventLogEntry:
    event = DagsterEvent.build_asset_materialization_planned_event(
        "job", "step", AssetMaterializationPlannedData(BARS, partition)
    )
    return EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None, level=10, user_message="", run_id=run_id, timestamp=time.time(), step_key="step", dagster_event=event
    )


def test_who_follows_a_run_sees_its_events_while_their_database_is_open(home: Callable[[str], dg.DagsterInstance]) -> None:
    writer, reader = home("1000").event_log_storage, home("1000").event_log_storage
    writer.store_event(planned("run-1", KEYS[0]))
    seen: list[str | None] = []
    reader.watch("run-1", None, lambda entry, cursor: seen.append(entry.get_dagster_event().partition))
    writer.store_event(planned("run-1", KEYS[1]))
    writer.store_event_batch([planned("run-1", KEYS[2])])
    until = time.monotonic() + 30
    while len(seen) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    assert seen == KEYS


def test_runs_whose_databases_were_closed_for_newer_ones_can_still_be_read(home: Callable[[str], dg.DagsterInstance]) -> None:
    events = home("1000").event_log_storage
    for i in range(20):
        events.store_event_batch([planned(f"run-{i}", KEYS[0]), planned(f"run-{i}", KEYS[1])])
    open_files = {str(link.resolve()) for link in Path("/proc/self/fd").iterdir()}
    assert sum(name.endswith(".db") and "/history/runs/run-" in name for name in open_files) <= 8
    for i in range(20):
        stored = [e.get_dagster_event().partition for e in events.get_logs_for_run(f"run-{i}")]
        assert stored == KEYS[:2]


def test_every_run_s_database_is_made_as_dagster_makes_one(home: Callable[[str], dg.DagsterInstance], tmp_path: Path) -> None:
    """Later ones of a process are copies of its first: the same tables, indexes, revision and journal, and no events."""
    events = home("1000").event_log_storage
    for run_id in ("run-1", "run-2", "run-3"):
        events.store_event(planned(run_id, KEYS[0]))
    with SqliteEventLogStorage(str(tmp_path / "dagster"))._connect("run-1") as connection:
        expected = schema(connection.engine.url.database)
    assert expected[-1] == "wal"
    for run_id in ("run-1", "run-2", "run-3"):
        assert schema(events.path_for_shard(run_id)) == expected
        assert len(events.get_logs_for_run(run_id)) == 1
    assert not [path.name for path in (tmp_path / "home").rglob(".run-*")]


def test_a_later_home_s_databases_are_made_as_dagster_makes_them(
    home: Callable[[str], dg.DagsterInstance], tmp_path: Path
) -> None:
    """Copies of the process's first, each of them its own: another id, no runs of the first."""
    run_ids = []
    for name in ("one", "two"):
        instance = home(name)
        run_ids.append(instance.run_storage.get_run_storage_id())
        assert instance.get_runs_count() == 0
        instance.add_run(dg.DagsterRun(job_name="daily"))
    assert run_ids[0] != run_ids[1]
    folder = tmp_path / "dagster"
    SqliteRunStorage.from_local(str(folder))
    SqliteScheduleStorage.from_local(str(folder))
    for place in ("history/runs.db", "schedules/schedules.db"):
        (made, copied) = (schema(str(tmp_path / "home" / name / "dagster/storage" / place)) for name in ("one", "two"))
        assert made == copied == schema(str(folder / Path(place).name))


def schema(path: str | None) -> list[Any]:
    with closing(sqlite3.connect(str(path))) as connection:
        made = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return [*made, revision, *connection.execute("PRAGMA journal_mode").fetchone()]


def test_a_forked_child_writes_on_connections_of_its_own(home: Callable[[str], dg.DagsterInstance]) -> None:
    events = home("1000").event_log_storage
    events.store_event(planned("run-1", KEYS[0]))
    child = os.fork()
    if child == 0:
        events.store_event(planned("run-1", KEYS[1]))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    events.store_event(planned("run-1", KEYS[2]))
    assert [e.get_dagster_event().partition for e in events.get_logs_for_run("run-1")] == KEYS
