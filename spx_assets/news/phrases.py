"""Phrases in a text: which of a list of words and phrases it holds, and where.

Belongs here: finding them among words. Does not: any list, what a phrase counts for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Phrases(Generic[Value]):
    """Words and phrases, each with a value. Their words are in the form `titles.words` gives, a space apart."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = {tuple(phrase.split(" ")): value for phrase, value in values.items()}
        self._longest: dict[str, int] = {}
        for phrase in self._values:
            self._longest[phrase[0]] = max(self._longest.get(phrase[0], 0), len(phrase))

    def found(self, words: Sequence[str]) -> Iterator[tuple[int, Value]]:
        """(where it begins, its value) of each phrase in the text; of those that begin at a word the longest, none within."""
        longest, after = self._longest, 0
        for at, word in enumerate(words):
            # Most words begin no phrase.
            if word not in longest or at < after:
                continue
            for size in range(longest[word], 0, -1):
                value = self._values.get(tuple(words[at : at + size]))
                if value is not None:
                    yield at, value
                    after = at + size
                    break
