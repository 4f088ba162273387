"""Tone by counting words: sides, what is denied, what judges."""

import polars as pl
import pytest

from spx_assets.news import lexicon
from spx_assets.news.tone import SCHEMA, tones


@pytest.mark.parametrize(
    ("text", "policy_tone", "polarity"),
    [
        ("Fed raises interest rates by 25 basis points", 1.0, 0.0),
        ("Fed cuts rates", -1.0, 0.0),
        ("Fed pauses rate hikes", -1.0, 0.0),
        ("ECB ends quantitative easing", 1.0, 0.0),
        ("Fed doesn't cut rates", 1.0, 0.0),
        ("Fed will be ' patient ' on future rate hikes", -1.0, 0.0),
        ("Hawkish Powell, yet traders bet on rate cuts and more easing", -1 / 3, 0.0),
        ("No sign of recovery", 0.0, -1.0),
        ("Profits not weak", 0.0, 1.0),
        ("Stocks plunge, bonds rally on recession fears", 0.0, -0.5),
        ("Minutes of the meeting", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_policy_and_praise_are_weighed_and_what_is_denied_counts_on_the_other_side(
    text: str, policy_tone: float, polarity: float
) -> None:
    row = tones(pl.Series([text])).row(0, named=True)
    assert (row["policy_tone"], row["polarity"]) == (pytest.approx(policy_tone), pytest.approx(polarity))


def test_judging_words_are_a_share_of_all_words() -> None:
    found = tones(pl.Series(["Stocks should probably rise", "Stocks rise", "!"]))
    assert found.schema == pl.Schema(SCHEMA)
    assert found.select("subjectivity", "words").rows() == [(0.5, 4), (0.0, 2), (0.0, 0)]


def test_no_word_stands_on_two_sides() -> None:
    assert not lexicon.POSITIVE & lexicon.NEGATIVE
    assert not lexicon.HAWKISH & lexicon.DOVISH
    assert len(lexicon.HAWKISH) > 100
    assert len(lexicon.DOVISH) > 100
