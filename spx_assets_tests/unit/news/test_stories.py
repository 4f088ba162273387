"""Which titles tell one story, and that the search finds every pair a comparison of all with all finds."""

import random
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest
from rapidfuzz import fuzz

from spx_assets.news import stories
from spx_assets_tests.unit.news.records import NOON, landed, record, resolve


@pytest.mark.parametrize(
    ("one", "other", "linked"),
    [
        ("FAA meets with U.S. airlines on Boeing 737 MAX", "FAA to meet with U . S . airlines on Boeing 737 MAX", True),
        ("Renault to name new leaders as Ghosn bows out", "Renault names new leaders as Ghosn bows out", True),
        ("Google Shares Plunge After Court Testimony", "Google shares plunge after court testimony", True),
        ("Dow falls 200 points on trade fears", "Dow falls 300 points on trade fears", False),
        ("Apple sells $28m of bonds in record deal", "Apple sells $29m of bonds in record deal", False),
        ("Wall Street seen opening up on trade hopes", "Wall Street seen opening down on trade hopes", False),
        ("Fed will raise rates in March says Powell", "Fed will not raise rates in March says Powell", False),
        ("Earnings preview", "Earnings preview", False),
        ("Oil falls", "Oil falls as stocks build", False),
    ],
)
def test_titles_of_one_story_are_linked(one: str, other: str, linked: bool) -> None:
    kept = resolve(landed(record(one, 0, source="a"), record(other, 1, source="b")))
    assert (kept["duplicate_of"].null_count() == 1) is linked


def words_of(title: str) -> str:
    found = stories.titled(pl.Series([title]))["words"]
    return str(found[0]) if len(found) else ""


def compared(told: pl.DataFrame, hours: float, score: float) -> set[tuple[int, int]]:
    """Every pair of rows, compared one with one."""
    rows = [(row["row"], row["known_at"], words_of(row["title"])) for row in told.iter_rows(named=True)]
    return {
        (one, other)
        for (one, at, a), (other, then, b) in combinations(rows, 2)
        if a and b and abs(then - at) <= timedelta(hours=hours)
        if a == b or (fuzz.ratio(a, b) >= score and stories.same(a, b))
    }


def test_the_search_finds_every_pair_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "_PAIRS", 50)  # periods looked at in several groups
    rng = random.Random(5)
    vocabulary = [f"{a}{b}" for a in ("ba", "co", "du", "fe", "gi") for b in ("ran", "tol", "mes", "ling", "s")]
    titles = []
    for _ in range(60):
        words = rng.choices(vocabulary, k=rng.randint(2, 12))
        for _ in range(rng.randint(1, 3)):
            titles.append(" ".join(words))
            words = list(words)
            words[rng.randrange(len(words))] = rng.choice(vocabulary)
    told = pl.DataFrame(
        {
            "row": range(len(titles)),
            "article_id": [f"{i:03}" for i in range(len(titles))],
            "title": titles,
            "known_at": pl.Series([NOON + timedelta(minutes=10 * i) for i in range(len(titles))], dtype=pl.Datetime("us", "UTC")),
        }
    ).with_columns(first_known_at="known_at")
    found = stories.first_tellings(told, told, hours=6, score=85)
    earliest: dict[int, int] = {}
    for one, other in sorted(compared(told, 6, 85)):
        earliest.setdefault(other, one)
    assert len(earliest) > 20
    assert {row: int(link) for row, link in found.rows()} == earliest


def test_real_headlines_hold_few_and_true_duplicates(shared_data: Path) -> None:
    headlines = pl.read_parquet(shared_data / "news" / "headlines_2017_2019h1.parquet").filter(pl.col("source") == "cnbc")
    assert headlines["ts_precision"].unique().to_list() == ["minute"]
    rows = landed(
        *(record(title, 0, known_at=at, published_at=at) for at, title in headlines.select("ts", "headline").drop_nulls().rows())
    )
    kept = resolve(rows, start=-1e6, end=1e6)
    linked = kept.filter(pl.col("duplicate_of").is_not_null())
    first = kept.select(duplicate_of="article_id", first="title").unique("duplicate_of")
    assert linked.join(first, on="duplicate_of").sort("known_at").select("title", "first").rows() == [
        (
            "Cramer Remix: Bonds could trigger a new wave of selling next week",
            "Cramer Remix: What could trigger a new wave of selling next week",
        ),
        (
            "Cramer: Charts show steady investor optimism, more upside for stocks",
            "Charts show investor optimism, more upside for stocks: Cramer",
        ),
    ]
