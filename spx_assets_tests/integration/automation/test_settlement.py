"""Settling in the lake: by the job, by its schedule, by the command."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from spx_assets.automation import settlement as automation
from spx_assets.calendar import ONE_MINUTE
from spx_assets.cli import app
from spx_assets.lake import Lake
from spx_assets.lake.live_tables import CANDLES_LIVE
from spx_assets.lake.serving_tables import PREDICTIONS
from spx_assets.scoring import settlement
from spx_assets.settings import Settings
from spx_assets_tests import lakes

OPEN = datetime(2019, 1, 6, 22, 0, tzinfo=UTC)
"""The first of 120 bars of the week; bar k opens and closes at 2500 + k / 4."""
NOW = datetime(2019, 1, 8, tzinfo=UTC)


def answered(*minutes: int, **facts: object) -> pl.DataFrame:
    """Answers from the bars so many minutes after the open."""
    known: dict[str, object] = {"instrument": "SPX500_USD", "horizon_minutes": 30, "tolerance_min": 5, "prediction": "up"}
    known |= {"features_source": "online", "in_sample": False, "answered_at": NOW, "horizon_crosses_close": False}
    filled = {"VARCHAR": "x", "INTEGER": 1, "DOUBLE": 0.5, "BOOLEAN": False, "TIMESTAMPTZ": NOW}
    rows = []
    for minute in minutes:
        row = {c.name: (known | facts).get(c.name, None if c.nullable else filled[c.type]) for c in PREDICTIONS.columns}
        rows.append(row | {"id": f"{minute:04d} {sorted(facts.items())}", "ts": OPEN + timedelta(minutes=minute)})
    return pl.DataFrame(rows, schema=PREDICTIONS.schema())


@pytest.fixture
def lake(settings: Settings) -> Lake:
    made = lakes.fresh(settings)
    lakes.replace(made, [date(2019, 1, 6)])
    return made


def outcomes(lake: Lake) -> list[tuple[object, ...]]:
    found = lake.read("serving.outcomes").with_columns(minute=(pl.col("ts") - OPEN).dt.total_minutes())
    return found.select("minute", "status", pl.col("realised_return_bp").round(6), "hit", "bars").rows()


def test_each_forecast_is_settled_once_and_only_those_that_may_be(lake: Lake) -> None:
    lake.append(PREDICTIONS, answered(0, 89, 90))
    lake.append(PREDICTIONS, answered(0, model_version="another answer of it"))
    lake.append(PREDICTIONS, answered(1, features_source="caller", model_digest="a caller's"))
    lake.append(PREDICTIONS, answered(2, in_sample=True, model_digest="saw it"))
    lake.append(PREDICTIONS, answered(3, features_source="lake", prediction="down"))
    assert settlement.due(lake) == 3
    assert settlement.settle(lake, now=NOW) == settlement.Settlement(verdicts={"settled": 3}, waiting=1)
    # Entry is the open of the next bar, exit the close of the thirtieth: 2500.25 and 2507.5 for the first.
    expected = [
        (0, "settled", round(1e4 * (2507.5 / 2500.25 - 1), 6), True, "bronze.candles"),
        (3, "settled", round(1e4 * (2508.25 / 2501.0 - 1), 6), False, "bronze.candles"),
        (89, "settled", round(1e4 * (2529.75 / 2522.5 - 1), 6), True, "bronze.candles"),
    ]
    assert outcomes(lake) == expected
    assert settlement.settle(lake, now=NOW) == settlement.Settlement(verdicts={}, waiting=1)
    assert outcomes(lake) == expected


def test_bars_of_the_stream_settle_what_official_ones_do_not_reach_and_leave_gaps_to_them(lake: Lake) -> None:
    lake.append(PREDICTIONS, answered(100, 110))
    schema = CANDLES_LIVE.schema()
    price = dict.fromkeys(("open", "high", "low", "close", "volume"), 2600.0)
    live = [
        {"instrument": "SPX500_USD", "ts": OPEN + minute * ONE_MINUTE, "provider": "oanda", "known_at": NOW, **price}
        for minute in (*range(110, 132), *range(138, 150))
    ]
    lake.append(CANDLES_LIVE, pl.DataFrame(live, schema=schema))
    # Of the official bars the last is minute 119; the stream lacks 132 to 137, which may still come.
    assert settlement.settle(lake, now=NOW) == settlement.Settlement(verdicts={"settled": 1}, waiting=1)
    assert outcomes(lake) == [(100, "settled", round(1e4 * (2600.0 / 2525.25 - 1), 6), True, "bronze.candles_live")]
    assert settlement.due(lake) == 0


def test_two_that_settle_at_once_settle_once(lake: Lake) -> None:
    lake.append(PREDICTIONS, answered(*range(40)))
    with ThreadPoolExecutor(3) as pool:
        done = [task.result() for task in [pool.submit(settlement.settle, lake, now=NOW) for _ in range(3)]]
    assert sum(each.verdicts.get("settled", 0) for each in done) == len(outcomes(lake)) == 40


def test_the_job_settles_and_its_schedule_asks_for_it_only_where_there_is_something(lake: Lake, settings: Settings) -> None:
    schedule = automation.schedule(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=NOW)
        (skipped,) = [schedule.evaluate_tick(context).skip_message]
        assert skipped is not None
        assert "no answered forecast" in skipped
        lake.append(PREDICTIONS, answered(0))
        assert len(schedule.evaluate_tick(context).run_requests or []) == 1
        result = automation.settle.execute_in_process(resources={"settings": settings}, instance=instance)
        assert result.success
        assert [row[1] for row in outcomes(lake)] == ["settled"]
        assert schedule.evaluate_tick(context).run_requests == []


def test_the_command_says_what_it_settled(lake: Lake) -> None:
    lake.append(PREDICTIONS, answered(0, 1, 119))
    told = CliRunner().invoke(app, ["settle"])
    assert told.exit_code == 0, told.output
    assert told.stdout == "status\tforecasts\nsettled\t2\n"
