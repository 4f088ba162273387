"""bronze/news and silver/news_sentiment as runs: checks, and what is stale after a landing, another model or instrument."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from spx_assets.automation.backfill import Backfill
from spx_assets.lake import Lake
from spx_assets.lake.news_tables import NEWS, NEWS_QUARANTINE, NEWS_SENTIMENT
from spx_assets.lake.records import newest
from spx_assets.news import sentiment
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests.integration.news.articles import NASTY, WEEKS, article, at, history, put

BOTH = ["bronze/news", "silver/news_sentiment"]


@pytest.fixture
def plan(settings: Settings) -> Iterator[Backfill]:
    small = settings.model_copy(update={"simulator": SimulatorSettings(days=9)})
    lake = Lake.open(small)
    feeds.bind_simulator(lake, "SPX500_USD")
    put(lake, *history())
    with dg.DagsterInstance.ephemeral() as instance:
        yield Backfill(small, instance)


def made(result: dict[str, int]) -> dict[str, int]:
    return {asset: weeks for asset, weeks in result.items() if weeks}


def changed(lake: Lake, asset: str, before: dict[str, dict[date, str]]) -> set[date]:
    return {week for week, digest in hashes(lake)[asset].items() if digest != before[asset].get(week)}


def hashes(lake: Lake) -> dict[str, dict[date, str]]:
    return {
        asset: {week: record.content_hash for week, record in newest(lake, asset.replace("/", "."), asset).items()}
        for asset in BOTH
    }


def test_a_landing_makes_stale_its_week_and_what_depends_on_it_alone(plan: Backfill) -> None:
    lake = plan.lake
    # No candle was made, and none of these weeks has any.
    assert made(plan.run(BOTH)) == {"bronze/news": 2, "silver/news_sentiment": 2}
    assert made(plan.run(BOTH)) == {}
    before = hashes(lake)
    put(lake, article("Nothing new under the sun", at(14, 1), source="late"))
    assert made(plan.run(BOTH)) == {"bronze/news": 1, "silver/news_sentiment": 1}
    assert [changed(lake, asset, before) for asset in BOTH] == [{WEEKS[1]}] * 2
    # Told before the border, it makes the telling after it a duplicate: a week depends on the hours before it too.
    put(lake, article("Nothing new under the sun", at(13, 21), source="later"))
    assert made(plan.run(BOTH)) == {"bronze/news": 2, "silver/news_sentiment": 2}
    twice = lake.read(NEWS).filter(pl.col("title").str.starts_with("Nothing")).sort("known_at")
    assert twice["duplicate_of"].to_list() == [None, twice["article_id"][0]]


def test_another_model_or_instrument_makes_the_sentiment_of_every_week_stale(plan: Backfill, tmp_path: Path) -> None:
    lake, settings = plan.lake, plan.settings
    plan.run(BOTH)
    feeds.bind_simulator(lake, "EUR_USD")
    assert made(plan.run(BOTH)) == {"silver/news_sentiment": 2}
    assert lake.read(NEWS_SENTIMENT)["instrument"].unique().sort().to_list() == ["EUR_USD", "SPX500_USD"]
    folder = tmp_path / "own"
    shutil.copytree(Path(sentiment.__file__).parent / "embedded", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    own = Backfill(settings.model_copy(update={"news": settings.news.model_copy(update={"model": str(folder)})}), plan.instance)
    assert made(own.run(BOTH)) == {"silver/news_sentiment": 2}
    assert lake.read(NEWS_SENTIMENT)["model_id"].str.starts_with("own@").all()
    # Other files under the same name: the manifest names them all.
    (folder / "sentiment.json").write_text((folder / "sentiment.json").read_text() + " ")
    assert made(own.run(BOTH)) == {"silver/news_sentiment": 2}


def test_a_run_checks_the_contract_warns_of_quarantine_and_keeps_markup_as_text(plan: Backfill) -> None:
    job = plan.defs.resolve_implicit_global_asset_job_def()
    run = job.execute_in_process(
        instance=plan.instance,
        asset_selection=[dg.AssetKey(name.split("/")) for name in BOTH],
        partition_key=key_of(WEEKS[1]),
        run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
    )
    results = {(found.asset_key.to_user_string(), found.check_name): found for found in run.get_asset_check_evaluations()}
    assert {key: found.passed for key, found in results.items()} == {
        ("bronze/news", "contract"): True,
        ("bronze/news", "quarantine"): False,
        ("silver/news_sentiment", "contract"): True,
    }
    warned = results["bronze/news", "quarantine"]
    assert warned.severity == dg.AssetCheckSeverity.WARN
    assert {name: value.value for name, value in warned.metadata.items()} == {
        "rows": 2,
        "reason: no source": 1,
        "reason: no title": 1,
    }
    for table in (NEWS, NEWS_SENTIMENT):
        assert NASTY in plan.lake.read(table)["title"].to_list()
    assert plan.lake.read(NEWS_QUARANTINE)["raw"].to_list() == ["{}", f"not JSON: {NASTY}"]
