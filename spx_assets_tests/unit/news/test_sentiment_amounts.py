"""Promises of compared amounts: the first is called higher or lower, and nothing is said where they are not alike."""

import pytest

from spx_assets.news.sentiment.embedded.amounts import told


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Profit was EUR 10.1 mn, compared to EUR 8.2 mn", "Profit was EUR 10.1 mn ( higher ) , compared to EUR 8.2 mn"),
        ("EPS $1.58 vs. $1.66 a year ago", "EPS $1.58 ( lower ) vs. $1.66 a year ago"),
        ("sales of $1.2 billion versus $900 million", "sales of $1.2 billion ( higher ) versus $900 million"),
        ("the share was 11.9 % from 13.4 %", "the share was 11.9 % ( lower ) from 13.4 %"),
        ("it was SEK 9 mn ( SEK 12 mn )", "it was SEK 9 mn ( lower ) ( SEK 12 mn )"),
        ("12.3 million euros, compared with 14.0 million", "12.3 million ( lower ) euros, compared with 14.0 million"),
        ("a loss of EUR 2 mn against a loss of EUR 5 mn", "a loss of EUR 2 mn ( lower ) against a loss of EUR 5 mn"),
        ("it rose to EUR13.4m from EUR12.1m", "it rose to EUR13.4m ( higher ) from EUR12.1m"),
        ("EUR 7 mn in 2009 , compared to EUR 9 mn in 2008", "EUR 7 mn ( lower ) in 2009 , compared to EUR 9 mn in 2008"),
        ("SEK 1.1 bn in April-June 2011 ( SEK 980 mn )", "SEK 1.1 bn ( higher ) in April-June 2011 ( SEK 980 mn )"),
    ],
)
def test_the_first_of_two_amounts_is_called_higher_or_lower(text: str, wanted: str) -> None:
    assert told(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "sales rose 12 % from 2007",
        "the price is EUR 10.1 million ( USD 13.4 m )",
        "up 5 % from EUR 200 mn",
        "a profit of EUR 2 mn against a loss of EUR 5 mn",
        "EUR 5 mn, compared to EUR 5.0 mn",
        "capacity grows from 170,000 tonnes to 215,000 tonnes",
        "in the summer of 2009 , compared with EUR 5 mn before",
        "no amounts",
    ],
)
def test_what_is_not_compared_or_not_alike_stays_as_it_is(text: str) -> None:
    assert told(text) == text
