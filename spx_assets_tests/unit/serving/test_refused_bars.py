"""Bars that the lake never takes: they are set aside with a reason, and stand in nobody's way."""

import json
from base64 import b64decode
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from serving import frames
from serving.health import report
from serving.stream import refused
from serving.stream.keeper import Keeper
from spx_assets.lake import Lake
from spx_assets_tests.unit.serving import homes
from spx_assets_tests.unit.serving.test_keeper import bar, closes, died, files, lake, one_minute, unstreamable

__all__ = ["lake", "one_minute"]  # fixtures


def set_aside(lake: Lake) -> list[dict[str, str]]:
    return [json.loads(line) for line in refused.path(lake.settings).read_text().splitlines()]


def test_what_is_no_bar_in_a_dead_workers_journal_does_not_keep_the_next_from_starting(lake: Lake) -> None:
    died(lake, 1, 2)
    (left,) = files(lake)
    alien = msgspec.msgpack.encode({"of": "another release"})
    naive = msgspec.msgpack.encode(msgspec.structs.replace(bar(lake, 3), ts=datetime(2019, 1, 7, 14, 3)))  # noqa: DTZ001
    left.write_bytes(left.read_bytes() + frames.pack([alien, naive, msgspec.msgpack.encode(bar(lake, 3))]))
    with pytest.raises(Exception, match="import some history first"):  # behind the recovery
        unstreamable(lake).run()
    assert (files(lake), closes(lake)) == ([], [3001.0, 3002.0, 3003.0])
    assert [(b64decode(line["bytes"]), line["from"]) for line in set_aside(lake)] == [(alien, left.name), (naive, left.name)]
    first, second = (line["why"] for line in set_aside(lake))
    assert "Object missing required field `instrument`" in first
    assert second == "its times name no zone"
    (told,) = [text for text in report(homes.service(lake.settings)).problems if text.startswith("stream")]
    assert "2 bars were set aside in" in told
    assert told.endswith("see where they came from, then remove the file")
    refused.path(lake.settings).unlink()
    assert refused.problem(lake.settings) is None


def test_a_bar_that_breaks_the_contract_costs_no_other(lake: Lake) -> None:
    bad = msgspec.structs.replace(bar(lake, 2), close=float("nan"))
    keeper = Keeper(lake.settings)
    for each in (bar(lake, 1), bad, bar(lake, 3)):
        keeper.note(each)
    keeper.flush()
    assert (keeper.problems(), closes(lake)) == ([], [3001.0, 3003.0])
    keeper.note(bar(lake, 4))
    keeper.flush()
    assert (files(lake), closes(lake)) == ([], [3001.0, 3003.0, 3004.0])
    (line,) = set_aside(lake)
    assert line["from"] == "SPX500_USD 2019-01-07T14:02Z"
    assert "close = nan" in line["why"]


def test_what_is_set_aside_again_after_a_crash_is_there_once(lake: Lake, tmp_path: Path) -> None:
    one, other = (refused.Refusal(payload, "a.journal", "no bar") for payload in (b"one", b"other"))
    refused.path(lake.settings).parent.mkdir(parents=True, exist_ok=True)
    refused.keep(lake.settings, [one])
    refused.keep(lake.settings, [one, other])
    assert [b64decode(line["bytes"]) for line in set_aside(lake)] == [b"one", b"other"]
