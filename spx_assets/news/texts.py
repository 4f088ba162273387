"""The text of an article that is scored, and its hash.

Belongs here: from title and body to one text. Does not: words (`titles`), scoring.

The title and, where there is a body, its first sentences: a report says first what it is about, and models of sentiment are
trained on sentences, not on pages. 280 characters are two or three sentences, some 60 tokens: with the title they stay under a
hundred, where scoring costs four times a headline alone. All of a page of 900 words would cost a hundred times as much, and most
of it is background, on which the tone of the news is lost.
"""

import re
from hashlib import blake2b

LEAD = 280
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")
_SENTENCES = re.compile(r"(?<=[.!?])[\"'\u201d\u2019)]*\s+(?=[\"'\u201c\u2018(]?[A-Z0-9])")


def scored(title: str, body: str | None) -> str:
    """What is scored: the title, and the first sentences of the body unless they only repeat it. Control signs are spaces."""
    headline, text = _plain(title), _plain(body or "")
    if text.lower().startswith(headline.lower()):
        text = text[len(headline) :].lstrip(" .:-|\u2013\u2014")
    if not text:
        return headline
    return f"{headline}{' ' if headline[-1:] in '.!?' else '. '}{lead(text)}"


def lead(text: str) -> str:
    """The first whole sentences of at most `LEAD` characters together; of a longer first sentence its first words."""
    if len(text) <= LEAD:
        return text
    ends = [found.start() for found in _SENTENCES.finditer(text) if found.start() <= LEAD]
    return text[: ends[-1]] if ends else text[: LEAD + 1].rpartition(" ")[0] or text[:LEAD]


def digest(text: str) -> str:
    """The hash a score is kept under: of exactly the text that was scored."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
