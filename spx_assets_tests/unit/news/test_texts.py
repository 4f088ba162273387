"""The text that is scored: the title and the lead, and nothing of it twice."""

import pytest

from spx_assets.news import texts


@pytest.mark.parametrize(
    ("title", "body", "scored"),
    [
        ("Stocks fall", None, "Stocks fall"),
        ("  Stocks\x07\n fall ", "", "Stocks fall"),
        ("Stocks fall", "The Dow lost 200 points.", "Stocks fall. The Dow lost 200 points."),
        ("What now?", "The Dow lost 200 points.", "What now? The Dow lost 200 points."),
        ("Stocks fall", "STOCKS FALL - The Dow lost 200 points.", "Stocks fall. The Dow lost 200 points."),
        ("Stocks fall", "Stocks fall", "Stocks fall"),
        ("<b>Up</b>", "&amp; down", "<b>Up</b>. &amp; down"),
    ],
)
def test_title_and_lead_are_scored(title: str, body: str | None, scored: str) -> None:
    assert texts.scored(title, body) == scored


def test_the_lead_ends_with_a_sentence_else_with_a_word() -> None:
    sentence = "The Fed said on Wednesday that it would not raise rates this year."
    assert texts.lead(" ".join([sentence] * 9)) == " ".join([sentence] * 4)
    assert texts.lead("word " * 100) == ("word " * 56).strip()
    assert texts.lead("x" * 500) == "x" * texts.LEAD


def test_the_hash_is_of_exactly_the_text() -> None:
    assert texts.digest("Stocks fall") == "e8af23d6da3ecc91271cf52e69d653ba"
    assert texts.digest("Stocks fall") != texts.digest("Stocks fall ")
