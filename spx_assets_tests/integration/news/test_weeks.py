"""Weeks of articles made of what was landed: the same rows whatever the order, each wording scored once."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from spx_assets.lake import Lake, hashing
from spx_assets.lake.news_tables import NEWS, NEWS_QUARANTINE, NEWS_SENTIMENT
from spx_assets.lake.tables import Table
from spx_assets.news import bronze, sentiment, silver
from spx_assets.news.sentiment import Scorer
from spx_assets.settings import NewsSettings, Settings
from spx_assets_tests.integration.news.articles import AGAIN, NASTY, STORY, WEEKS, article, at, history, put

# What is scored of NASTY: control signs are spaces.
PLAIN = "<script>alert('1')</script> [31m \u202e\ufffd end"


@pytest.fixture
def lake(settings: Settings) -> Lake:
    found = Lake.open(settings)
    put(found, *history())
    return found


def hashes(table: Table, frame: pl.DataFrame, weeks: Sequence[date]) -> dict[date, str]:
    rows, bounds = hashing.by_week(table, frame.sort(table.key), weeks)
    return hashing.week_hashes(table, rows, bounds)


def test_articles_are_kept_by_when_they_were_known_and_refused_records_beside(lake: Lake) -> None:
    made = bronze.articles(lake, WEEKS)
    news = made.frame.sort("known_at")
    assert news.select("title", "revision", "known_at").rows() == [
        ("Shares up", 0, at(8)),
        (STORY, 0, at(13, 21, 50)),
        (AGAIN, 0, at(13, 22, 10)),
        ("Shares up", 1, at(15)),
        (NASTY, 0, at(17)),
        # Friday's date: known from Saturday 00:00 New York on.
        ("Date only", 0, at(19, 5)),
    ]
    assert news["duplicate_of"].to_list() == [None, None, news["article_id"][1], None, None, None]
    assert made.beside[NEWS_QUARANTINE.name].select("ts", "reason", "line").rows() == [
        (at(16), "no title", 6),
        (at(16, 16), "no source", 7),
    ]


def test_weeks_in_any_order_hold_the_rows_of_one_range(lake: Lake) -> None:
    whole = bronze.articles(lake, WEEKS).frame
    alone = [bronze.articles(lake, [week]).frame for week in reversed(WEEKS)]
    assert [frame.height for frame in alone] == [0, 0, 4, 2]
    assert hashes(NEWS, pl.concat(alone), WEEKS) == hashes(NEWS, whole, WEEKS)
    parts = [silver.sentiment(lake, frame.select(silver.READ), ["SPX500_USD"]) for frame in alone]
    told = silver.sentiment(lake, whole.select(silver.READ), ["SPX500_USD"])
    assert hashes(NEWS_SENTIMENT, pl.concat(parts), WEEKS) == hashes(NEWS_SENTIMENT, told, WEEKS)


def test_what_is_landed_again_changes_nothing(lake: Lake) -> None:
    before = bronze.articles(lake, WEEKS)
    assert put(lake, *history()).landed == 0
    # From another provider, under another form of its address.
    again = article("Shares up", at(15), url="https://www.s.com/a/?utm_source=x", body="They rose.")
    assert put(lake, again, provider="rss").landed == 1
    after = bronze.articles(lake, WEEKS)
    assert hashes(NEWS, after.frame, WEEKS) == hashes(NEWS, before.frame, WEEKS)
    assert after.fingerprints == before.fingerprints
    assert bronze.articles(lake, [date(2019, 2, 24)]).frame.is_empty()


def test_every_wording_is_scored_once_whichever_instruments_it_is_about(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[str] = []
    load = sentiment.load

    class Counting:
        """The embedded scorer, noting what it is asked."""

        def __init__(self, model: str, settings: NewsSettings) -> None:
            self.real: Scorer = load(model, settings)
            self.model_id = self.real.model_id

        def score(self, texts: Sequence[str]) -> pl.DataFrame:
            scored.extend(texts)
            return self.real.score(texts)

    monkeypatch.setattr(sentiment, "load", Counting)
    put(lake, article(STORY, at(22), source="other"))
    told = bronze.articles(lake, WEEKS).frame.select(silver.READ)
    rows = silver.sentiment(lake, told, ["EUR_USD", "SPX500_USD"])
    assert sorted(scored) == sorted(["Shares up", STORY, AGAIN, "Shares up. They rose.", "Date only", PLAIN])
    assert rows.height == 2 * told.height == 14
    assert rows.select((pl.col("positive") - pl.col("negative") - pl.col("score")).abs().max()).item() < 1e-12
    story = rows.filter(pl.col("title") == STORY)
    assert story.select("policy_tone", "words", "relevance").rows() == [(1.0, 8, 0.6)] * 4
    assert story["text_hash"].n_unique() == 1
    monkeypatch.setattr(sentiment, "load", None)  # nothing is left to score: nothing is loaded
    assert silver.sentiment(lake, told, ["EUR_USD", "SPX500_USD"]).equals(rows)
    assert silver.sentiment(lake, told, []).is_empty()
    assert silver.sentiment(lake, told.clear(), ["SPX500_USD"]).is_empty()
