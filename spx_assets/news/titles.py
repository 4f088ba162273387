"""Titles as identity compares them: the same words give the same text, however a provider writes them.

Belongs here: the normal form of a title and its words. Does not: deciding who is whose duplicate (`stories`), sentiment.
"""

import polars as pl

# GDELT sets spaces around punctuation ("Trump ' s 2 . 5 %"), others do not: only words and digits count.
_POSSESSIVE = r"(\pL)\s?['\u2019]\s?(s|t|re|ll|ve|d|m)\b"
_WORD = r"[\pL\pN]+"


def words(title: pl.Expr) -> pl.Expr:
    """The words and numbers of a title in their order: NFKC, lower case, no punctuation, "Trump's" one word."""
    return title.str.normalize("NFKC").str.to_lowercase().str.replace_all(_POSSESSIVE, "$1$2").str.extract_all(_WORD)


def normal(title: pl.Expr) -> pl.Expr:
    """The title as identity compares it; a title without a word stands for itself."""
    joined = words(title).list.join(" ")
    return pl.when(joined == "").then(title.str.strip_chars()).otherwise(joined)


def wording(text: pl.Expr) -> pl.Expr:
    """What of a text a correction can change: every sign of it, but neither its spaces nor upper case."""
    return text.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", "")
