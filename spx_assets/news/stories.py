"""Stories: which titles tell the same one, told within hours of each other.

Belongs here: when two titles are one story, and finding such pairs among many. Does not: article ids, revisions (`identity`).

Two titles of at least three words are one story if

* at least 60 % of all their words are common to both (Jaccard),
* the rapidfuzz ratio of their words in alphabetical order reaches the score asked for,
* they hold the same numbers: "falls 200 points" is not "falls 300 points",
* no word that only one of them has denies ("not") and none of one praises where one of the other blames: "opens up" is not
  "opens down".

Each of these is a fact of the two titles alone. So a link never depends on which other titles lie around, and the search may
skip whatever the first rule excludes: of the words of a title, rarest first, like titles share one of the first 40 %.
"""

from datetime import timedelta

import polars as pl

from spx_assets.news import lexicon, titles

SHARED = 0.6
FEWEST_WORDS = 3
# Pairs that are looked at together: 4 M pairs of two numbers and two lengths are 100 MB.
_PAIRS = 4_000_000


def first_tellings(wanted: pl.DataFrame, told: pl.DataFrame, *, hours: float, score: float) -> pl.DataFrame:
    """(row, duplicate_of) of those rows of `wanted` whose story another article told before, within `hours`.

    `wanted` has columns row, article_id, title, known_at, first_known_at; `told` article_id, title, known_at: everything that
    was told from `hours` before. Of two articles the one known first was before, at the same time the one with the lesser id.
    """
    named = titled(told["title"].append(wanted["title"]).unique())
    told = told.select("article_id", "known_at", "title").join(named.select("title", "words"), on="title")
    keys = _keys(told["words"].unique())
    told = told.join(keys.select("words", "key"), on="words")
    span = timedelta(hours=hours)
    alike = _pairs(keys, told, span, score)
    earliest = told.group_by("key", "known_at").agg(pl.col("article_id").min()).sort("known_at")
    since = (
        wanted.select("row", "article_id", "title", "first_known_at", since=pl.col("known_at") - span)
        .join(named.select("title", "words"), on="title")
        .join(keys.select("words", "key"), on="words")
        .join(alike, on="key")
        .sort("since")
    )
    # The first telling since then is the only one to look at: if it was not before the article, none was.
    met = since.join_asof(
        earliest.rename({"article_id": "duplicate_of"}),
        left_on="since",
        right_on="known_at",
        by_left="like",
        by_right="key",
        strategy="forward",
        check_sortedness=False,
    )
    before = (pl.col("known_at") < pl.col("first_known_at")) | (
        (pl.col("known_at") == pl.col("first_known_at")) & (pl.col("duplicate_of") < pl.col("article_id"))
    )
    return met.filter(before).sort("known_at", "duplicate_of").unique("row", keep="first").select("row", "duplicate_of")


def titled(title: pl.Series) -> pl.DataFrame:
    """(title, words): the words of each title in alphabetical order as one text; titles of too few words are left out."""
    named = pl.DataFrame({"title": title}).with_columns(words=titles.words(pl.col("title")).list.sort())
    return named.filter(pl.col("words").list.n_unique() >= FEWEST_WORDS).with_columns(pl.col("words").list.join(" "))


def _keys(words: pl.Series) -> pl.DataFrame:
    """Each different title: its number, its length, how many different words it has, and the rarest of them that it is found by.

    Of n words at least 60 % must be common, so at least one of any 40 % and one more is; whichever order all titles are sorted
    by, that holds. Rare words first makes the lists of titles with a word short.
    """
    keys = pl.DataFrame({"words": words}).with_row_index("key")
    split = keys.select("key", word=pl.col("words").str.split(" ").list.unique()).explode("word")
    ranks = split.group_by("word").len().sort("len", "word").with_row_index("rank").select("word", "rank")
    found = split.join(ranks, on="word").group_by("key").agg(pl.col("rank").sort(), n=pl.len())
    few = pl.col("n") - (pl.col("n") * SHARED - 1e-9).ceil().cast(pl.Int64) + 1
    found = found.with_columns(pl.col("rank").list.head(few))
    return keys.join(found, on="key").with_columns(length=pl.col("words").str.len_chars())


def _pairs(keys: pl.DataFrame, told: pl.DataFrame, span: timedelta, score: float) -> pl.DataFrame:
    """(key, like): numbers of titles that tell one story, both ways round and each with itself.

    Titles are compared that were told in the same period of `span` or in two that follow each other.
    """
    period = told.select("key", slot=pl.col("known_at").dt.epoch("us") // round(span.total_seconds() * 1e6)).unique()
    listed = period.join(keys.select("key", "rank", "n", "length"), on="key").explode("rank")
    words = keys.sort("key")["words"]
    itself = keys.select("key", like="key")
    found = [itself]
    for slots in _groups(listed):
        here = listed.filter(pl.col("slot").is_in(slots))
        before = listed.filter(pl.col("slot").is_in([slot - 1 for slot in slots])).with_columns(pl.col("slot") + 1)
        some = pl.concat([_met(here, here, score), _met(here, before, score)]).unique()
        alike = _alike(some, words, score)
        found += [alike, alike.select(key="like", like="key")]
    return pl.concat(found).unique()


def _groups(listed: pl.DataFrame) -> list[list[int]]:
    """The periods in order, as many together as make about `_PAIRS` pairs."""
    load = listed.group_by("slot", "rank").len().group_by("slot").agg((pl.col("len").cast(pl.Int64) ** 2).sum()).sort("slot")
    groups: list[list[int]] = []
    pairs = _PAIRS
    for slot, some in load.iter_rows():
        if pairs + some > _PAIRS:
            groups.append([])
            pairs = 0
        groups[-1].append(slot)
        pairs += some
    return groups


def _met(here: pl.DataFrame, there: pl.DataFrame, score: float) -> pl.DataFrame:
    """(key, like), the lesser number first, of titles of the same period that share a rare word and are about as long."""
    met = here.lazy().join(there.lazy(), on=["slot", "rank"]).filter(pl.col("key") != pl.col("key_right"))
    fewest, most = pl.min_horizontal("n", "n_right"), pl.max_horizontal("n", "n_right")
    shorter, both = pl.min_horizontal("length", "length_right"), pl.col("length") + pl.col("length_right")
    met = met.filter(fewest >= most * SHARED - 1e-9, shorter * 200 >= both * score)
    pair = met.select(key=pl.min_horizontal("key", "key_right"), like=pl.max_horizontal("key", "key_right"))
    return pair.unique().collect()


def _alike(pairs: pl.DataFrame, words: pl.Series, score: float) -> pl.DataFrame:
    """Those of the pairs that are one story."""
    a, b = words.gather(pairs["key"]), words.gather(pairs["like"])
    from rapidfuzz import fuzz, process  # 40 modules, for those who compare titles

    scores = process.cpdist(a.to_list(), b.to_list(), scorer=fuzz.ratio, score_cutoff=score)
    near = scores >= score
    one_story = [same(x, y) for x, y in zip(a.filter(near), b.filter(near), strict=True)]
    return pairs.filter(near).filter(pl.Series(one_story, dtype=pl.Boolean))


def same(a: str, b: str) -> bool:
    """True if titles of like letters, given as their words in alphabetical order, share their words and mean the same by them."""
    one, other = set(a.split(" ")), set(b.split(" "))
    if len(one & other) < SHARED * len(one | other) - 1e-9:
        return False
    mine, yours = one - other, other - one
    if any(any(sign.isdigit() for sign in word) or word in lexicon.NEGATIONS for word in mine | yours):
        return False
    return not (_opposed(mine, yours) or _opposed(yours, mine))


def _opposed(one: set[str], other: set[str]) -> bool:
    return not one.isdisjoint(lexicon.POSITIVE) and not other.isdisjoint(lexicon.NEGATIVE)
