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
        at = 0
        while at < len(words):
            size = self._at(words, at)
            if size:
                yield at, self._values[tuple(words[at : at + size])]
            at += size or 1

    def _at(self, words: Sequence[str], at: int) -> int:
        """How many words the longest phrase that begins at `at` has, 0 without one."""
        longest = self._longest.get(words[at], 0)
        return next((size for size in range(longest, 0, -1) if tuple(words[at : at + size]) in self._values), 0)
