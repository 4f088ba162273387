"""`spx import news` as a user types it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from spx_assets.cli import import_
from spx_assets.lake.connection import Lake
from spx_assets.sources import news_feeds
from spx_assets_tests.integration.sources.newspapers import MONDAY, landed, seen
from spx_assets_tests.integration.sources.press import Press

ARTICLES = [
    {"title": "Stocks rise", "source": "Wire", "published_at": "2024-01-08T15:00:00Z"},
    {"title": "Stocks fall", "source": "Daily", "published_at": "2024-01-08"},
    {"title": "", "source": "Wire", "published_at": "2024-01-08T15:00:00Z"},
]


@pytest.fixture
def home(news_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("SPX_HOME", str(news_lake.settings.home))
    return news_lake


def run(*arguments: str) -> tuple[list[list[str]], str]:
    """(cells of the table, what was said on stderr)."""
    result = CliRunner().invoke(import_.app, ["news", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.stdout.splitlines()], result.stderr


def test_files_are_imported_reported_and_known_the_second_time(home: Lake, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.json").write_text(json.dumps(ARTICLES[: 2 * number]))
    paths = [str(tmp_path / f"{number}.json") for number in (1, 2)]
    cells, said = run(*paths)
    assert cells == [
        ["provider", "source", "records", "landed", "known", "refused", "first", "last"],
        ["files", "1.json", "2", "2", "0", "", "2024-01-08 15:00", "2024-01-09 05:00"],
        ["files", "2.json", "3", "0", "2", "1 no title", "", ""],
    ]
    assert "import 1.json: 2 records read" in said
    again, said = run(paths[1])
    assert again[1][2:6] == ["3", "0", "3", ""]
    assert "nothing new" in said


def test_columns_and_zone_are_named(home: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"Kopf": ["A"], "ts": [datetime(2024, 1, 8, 10)], "source": ["W"]}).write_parquet(path)  # noqa: DTZ001
    cells, _ = run(str(path), "--column", "title=Kopf", "--tz", "America/New_York")
    assert cells[1][6] == "2024-01-08 15:00"


def test_history_of_a_provider_is_imported_and_resumed(home: Lake, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    press.gdelt = [seen(n, minutes=60 * n) for n in range(3)]
    monkeypatch.setenv("SPX_NEWS__GDELT__URL", f"{press.url}/api/v2/doc/doc")
    monkeypatch.setenv("SPX_NEWS__GDELT__PACE_S", "0")
    arguments = ("--provider", "gdelt", "--from", "2024-01-08", "--to", "2024-01-10")
    cells, said = run(*arguments)
    assert cells[1] == [
        "gdelt",
        "2024-01-08 00:00 to 2024-01-10 00:00",
        "3",
        "3",
        "0",
        "",
        "2024-01-08 15:00",
        "2024-01-08 17:00",
    ]
    assert "gdelt news: 2880 minutes asked for" in said
    assert run(*arguments)[0][1][2:5] == ["0", "0", "0"]
    assert len(press.asked) == 2
    assert news_feeds.feeds(home)["gdelt"].live is False
    assert landed(home)["known_at"].min() == MONDAY


def test_a_feed_that_was_not_heard_is_said(home: Lake, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    press.pages["/feed.xml"] = b'<rss version="2.0"><channel><title>P</title></channel></rss>', "application/xml"
    monkeypatch.setenv("SPX_NEWS__RSS__URLS", json.dumps([f"{press.url}/feed.xml", f"{press.url}/gone.xml"]))
    cells, said = run("--provider", "rss")
    assert cells[1][2:4] == ["0", "0"]
    assert f"not heard: The feed answered 404 to {press.url}/gone.xml" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give files to import, or --provider"),
        (("a.json", "--provider", "gdelt"), "not both"),
        (("--provider", "gdelt"), "needs --from"),
        (("--provider", "rss", "--tz", "UTC"), "are for files"),
        (("a.json", "--from", "2019-01-07"), "--from and --to are for --provider"),
        (("a.json", "--column", "title"), "is not FIELD=NAME"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(import_.ImportUsageError, match=says):
        run(*arguments)


def test_real_headlines_are_imported_with_their_precision(home: Lake, shared_data: Path, tmp_path: Path) -> None:
    real = pl.read_parquet(shared_data / "news/headlines_2017_2019h1.parquet")
    path = tmp_path / "headlines.parquet"
    real.filter(pl.col("ts").is_between(datetime(2018, 6, 4, tzinfo=UTC), datetime(2018, 6, 8, tzinfo=UTC))).write_parquet(path)
    cells, _ = run(str(path))
    rows = landed(home)
    assert cells[1][3] == str(rows.height)
    dated = rows.filter(pl.col("time_precision") == "day")
    assert set(dated["source"]) == {"guardian", "reuters"}
    midnight = dated["published_at"].dt.replace_time_zone(None).dt.replace_time_zone("America/New_York").dt.offset_by("1d")
    assert dated["known_at"].equals(midnight.dt.convert_time_zone("UTC").rename("known_at"))
    timed = rows.filter(pl.col("time_precision") == "minute")
    assert set(timed["source"]) == {"cnbc"}
    assert timed["known_at"].equals(timed["published_at"].rename("known_at"))
