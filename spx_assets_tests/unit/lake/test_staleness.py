"""What makes a week missing, stale or fresh."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from spx_assets.lake import Chunk, Lake
from spx_assets.lake.records import newest
from spx_assets.lake.staleness import Input, Node, inputs_hashes, status
from spx_assets_tests import lakes
from spx_assets_tests.unit.lake.rows import lake_at

W1, W2, W3 = lakes.WEEKS[:3]
SOURCE = Node("bronze/candles", "bronze.candles", code_version="1")
DAILY = Node("silver/daily_bars", "silver.daily_bars", (Input("bronze/candles", "bronze.candles", -1, 0),), "1")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return lake_at(tmp_path)


def make(lake: Lake, node: Node, week: date, *, level: float = 1.0, fingerprints: dict[date, str] | None = None) -> None:
    """Materialise one week the way the IO manager does."""
    at = lake.snapshot()
    frame = lakes.candles([week], level=level) if node is SOURCE else lake.read(node.table).clear()
    lake.replace(
        node.table,
        Chunk((week,), frame),
        asset=node.asset,
        run_id="r",
        read_snapshot=at,
        inputs_hashes=inputs_hashes(lake, node, [week], fingerprints=fingerprints, snapshot=at),
    )


def test_a_week_never_made_is_missing_and_a_made_one_fresh(lake: Lake) -> None:
    make(lake, SOURCE, W1)
    make(lake, DAILY, W1)
    assert status(lake, SOURCE, [W1, W2]) == {W1: "fresh", W2: "missing"}
    assert status(lake, DAILY, [W1, W2]) == {W1: "fresh", W2: "missing"}


def test_a_changed_upstream_week_marks_exactly_its_dependants_stale(lake: Lake) -> None:
    for week in (W1, W2, W3):
        make(lake, SOURCE, week)
    for week in (W1, W2, W3):
        make(lake, DAILY, week)
    make(lake, SOURCE, W1, level=2.0)
    assert status(lake, DAILY, [W1, W2, W3]) == {W1: "stale", W2: "stale", W3: "fresh"}
    make(lake, DAILY, W1)
    make(lake, DAILY, W2)
    assert status(lake, DAILY, [W1, W2, W3]) == {W1: "fresh", W2: "fresh", W3: "fresh"}


def test_an_upstream_week_made_again_with_equal_rows_leaves_its_dependants_fresh(lake: Lake) -> None:
    make(lake, SOURCE, W1)
    make(lake, DAILY, W1)
    make(lake, SOURCE, W1)
    assert status(lake, DAILY, [W1]) == {W1: "fresh"}


def test_a_lookback_week_made_later_marks_its_dependants_stale(lake: Lake) -> None:
    make(lake, SOURCE, W2)
    make(lake, DAILY, W2)
    make(lake, SOURCE, W1)
    assert status(lake, DAILY, [W2]) == {W2: "stale"}


def test_another_code_version_marks_every_week_stale(lake: Lake) -> None:
    make(lake, SOURCE, W1)
    assert status(lake, Node("bronze/candles", "bronze.candles", code_version="2"), [W1]) == {W1: "stale"}


def test_another_fingerprint_of_the_feed_marks_its_week_stale(lake: Lake) -> None:
    for week in (W1, W2):
        make(lake, SOURCE, week, fingerprints={week: "file 1"})
    assert status(lake, SOURCE, [W1, W2], {W1: "file 1", W2: "file 1 and 2"}) == {W1: "fresh", W2: "stale"}


def test_the_newest_record_wins_and_older_snapshots_show_the_older_one(lake: Lake) -> None:
    make(lake, SOURCE, W1, level=1.0)
    before = lake.snapshot()
    make(lake, SOURCE, W1, level=2.0)
    old = newest(lake, "bronze.candles", "bronze/candles", snapshot=before)[W1]
    new = newest(lake, "bronze.candles", "bronze/candles")[W1]
    assert old.snapshot == before
    assert new.snapshot == lake.snapshot()
    assert old.content_hash != new.content_hash
    assert new.rows == 120
    assert newest(lake, "bronze.candles", "bronze/candles", weeks=[W1 + timedelta(days=7)]) == {}
    assert newest(lake, "bronze.candles", "another/asset") == {}
