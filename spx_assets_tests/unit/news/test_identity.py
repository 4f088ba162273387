"""Articles: one id however they come, a correction is a revision, a story told again is linked, and time only adds."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets.lake import contract
from spx_assets.lake.news_tables import NEWS
from spx_assets.news import addresses, identity
from spx_assets_tests.unit.news.records import NOON, landed, record, resolve

STORY = "Fed raises interest rates by a quarter point"


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("https://www.cnbc.com/2019/01/14/fed.html?utm_source=rss&__source=x#top", "cnbc.com/2019/01/14/fed.html"),
        ("HTTP://M.CNBC.com:80/2019/01/14/fed.html/", "cnbc.com/2019/01/14/fed.html"),
        ("https://edition.site.co.uk/a/amp/", "edition.site.co.uk/a"),
        ("https://site.kr/read.php?no=7&bo_table=news&fbclid=z", "site.kr/read.php?bo_table=news&no=7"),
        ("https://finnhub.io/api/news?id=1b4b5d", "finnhub.io/api/news?id=1b4b5d"),
        ("https://kbench.com/?q=node/266122", "kbench.com?q=node%2F266122"),
        ("https://site.com:8443/%D9%85", "site.com:8443/%D9%85"),
        ("https://site.com:8443/م", "site.com:8443/%D9%85"),
        ("https://m.com/a", "m.com/a"),
        ("https://www.cnbc.com/", None),
        ("javascript:alert(1)", None),
        ("https://[bad/x", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_an_address_is_the_same_however_it_was_reached(address: str | None, canonical: str | None) -> None:
    assert addresses.canonical(address) == canonical


def test_the_address_names_an_article_else_its_title_and_source() -> None:
    rows = landed(
        record("One", url="https://www.site.com/a?utm_medium=x"),
        record("Another wording", url="http://site.com/a"),
        record("Trump ' s  TARIFFS : 2 . 5 %"),
        record("Trump's tariffs: 2.5%"),
        record("Trump's tariffs: 2.5%", source="other"),
    )
    ids = rows["article_id"].to_list()
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert len({ids[0], ids[2], ids[4]}) == 3
    # Literal: other ids would make every stored article another one.
    assert ids[0] == "a7255332b23a755e6dfdac25cf2e82851"


def test_what_comes_again_says_nothing_new_and_a_correction_is_the_next_revision() -> None:
    rows = landed(
        record(STORY, 0, url="https://site.com/a", provider="rss"),
        record("Fed  raises interest rates by a quarter point ", 5, url="https://www.site.com/a", provider="gdelt"),
        record("Fed raises interest rates by half a point", 30, url="https://site.com/a", provider="rss"),
        record("Fed raises interest rates by half a point", 40, url="https://site.com/a", body="The Fed said.", provider="rss"),
        record("Fed raises interest rates by half a point", 50, url="https://site.com/a", provider="gdelt"),
        record(STORY, 60, url="https://site.com/a", provider="rss"),
    )
    kept = resolve(rows)
    contract.check(NEWS, kept)
    assert kept.select("revision", "provider", "body").rows() == [(0, "rss", None), (1, "rss", None), (2, "rss", "The Fed said.")]
    assert kept["known_at"].to_list() == [NOON + timedelta(minutes=at) for at in (0, 30, 40)]
    assert kept["duplicate_of"].null_count() == 3


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        # Who was first adds its body; another summary, and the same again, correct nothing.
        (["rss -", "gdelt Z", "rss X", "gdelt Z", "gdelt -"], ["rss -", "rss X"]),
        (["rss X", "gdelt -", "gdelt Z", "rss -", "rss x "], ["rss X"]),
        # What was never told in these words is new, whoever else has said it.
        (["rss X", "gdelt Y", "rss Y", "rss X"], ["rss X", "rss Y"]),
        # Who changes its own body corrects the article, though another told it first.
        (["gdelt -", "rss X", "rss Y"], ["gdelt -", "rss Y"]),
        (["gdelt X", "rss Y", "rss X", "rss Z"], ["gdelt X", "rss Z"]),
    ],
)
def test_another_providers_summary_of_one_title_is_no_correction(told: list[str], kept: list[str]) -> None:
    said = [line.split(" ", 1) for line in told]
    rows = [
        record(STORY, at, url="https://s.com/a", provider=provider, body=None if body == "-" else body)
        for at, (provider, body) in enumerate(said)
    ]
    found = resolve(landed(*rows)).sort("revision")
    assert [f"{provider} {body or '-'}" for provider, body in found.select("provider", "body").rows()] == kept


def test_a_sign_corrected_is_a_revision_although_no_word_changed() -> None:
    rows = landed(record("Output -2% in May", 0, url="https://s.com/a"), record("Output +2% in May", 9, url="https://s.com/a"))
    assert resolve(rows)["revision"].to_list() == [0, 1]


def test_a_column_of_the_same_title_is_told_anew_each_week_but_not_twice_a_day() -> None:
    column = "Take Five: World markets themes for the week ahead"
    week = 7 * 24 * 60
    rows = landed(record(column), record(column, 60, published_at=NOON), record(column, week))
    kept = resolve(rows)
    assert kept["known_at"].to_list() == [NOON, NOON + timedelta(days=7)]
    assert kept["article_id"].n_unique() == 1
    assert kept["revision"].to_list() == [0, 1]
    assert kept["duplicate_of"].null_count() == 2


def test_a_story_is_linked_to_the_earliest_telling_of_the_hours_before() -> None:
    hours = 60
    rows = landed(
        record(STORY, 0, source="first"),
        record("Fed raises interest rates by quarter point", 20 * hours, source="second"),
        record("By a quarter point, Fed raises interest rates", 48 * hours, source="third"),
        record(STORY, 48 * hours + 1, source="fourth"),
        record("Oil falls as stocks build", 5, source="oil"),
    )
    kept = resolve(rows)
    ids = dict(rows.select("source", "article_id").rows())
    links = dict(kept.select("source", "duplicate_of").rows())
    # The fourth is told too late for the first telling; the second told it since.
    assert links == {"oil": None, "first": None, "second": ids["first"], "third": ids["first"], "fourth": ids["second"]}


def test_at_the_same_time_the_lesser_id_was_first() -> None:
    rows = landed(record(STORY, source="a"), record(STORY, source="b"), record(STORY, source="c"))
    kept = resolve(rows)
    lowest = min(rows["article_id"])
    assert kept.sort("article_id")["duplicate_of"].to_list() == [None, lowest, lowest]


def test_the_first_telling_corrected_is_no_duplicate_of_who_repeated_it() -> None:
    rows = landed(
        record(STORY, 0, url="https://a.com/1"),
        record(STORY, 10, url="https://b.com/1"),
        record(STORY + " again", 20, url="https://a.com/1"),
    )
    kept = resolve(rows)
    assert kept.filter(pl.col("url") == "https://a.com/1")["duplicate_of"].to_list() == [None, None]
    assert kept.filter(pl.col("url") == "https://b.com/1")["duplicate_of"].null_count() == 0


def test_a_week_is_the_same_alone_and_in_a_range_across_its_border() -> None:
    border = 6 * 24 * 60 + 2 * 60  # Sunday 17:00 New York
    rows = landed(
        record(STORY, border - 30, source="first"),
        record(STORY, border + 10, source="second"),
        record("Shares up", border - 3 * 24 * 60, url="https://s.com/a"),
        record("Shares up", border + 20, url="https://s.com/a"),
        record("Shares up a lot", border + 30, url="https://s.com/a"),
    )
    whole = resolve(rows)
    parts = pl.concat([resolve(rows, end=border), resolve(rows, start=border)]).sort(NEWS.key)
    assert whole.equals(parts)
    assert whole.filter(pl.col("source") == "second")["duplicate_of"].null_count() == 0
    assert whole.filter(pl.col("url") == "https://s.com/a").select("title", "revision").rows() == [
        ("Shares up", 0),
        ("Shares up a lot", 1),
    ]


OIL = ("Oil falls as stocks build", "Oil rises as stocks build")
TITLES = (STORY, "Fed raises interest rates by quarter point", *OIL, "<b>\x07</b>", "Up")
RECORDS = st.builds(
    lambda title, at, source, page, body, provider: record(
        title, at, source=source, url=None if page is None else f"https://s.com/{page}", body=body, provider=provider
    ),
    st.sampled_from(TITLES),
    st.integers(0, 6000),
    st.sampled_from("ab"),
    st.sampled_from((None, 1, 2)),
    st.sampled_from((None, "One.", "Two.")),
    st.sampled_from(("rss", "gdelt")),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=12), st.integers(0, 6000))
def test_later_records_change_no_earlier_row_and_cuts_change_none(records: list[dict[str, Any]], cut: int) -> None:
    rows = landed(*records)
    whole = resolve(rows)
    contract.check(NEWS, whole)
    at = NOON + timedelta(minutes=cut)
    earlier = whole.filter(pl.col("known_at") < at)
    assert resolve(rows.filter(pl.col("known_at") < at)).equals(earlier)
    assert resolve(rows, end=cut).equals(earlier)
    assert resolve(rows, start=cut).equals(whole.filter(pl.col("known_at") >= at))


def test_each_record_comes_once_or_says_nothing_new_whatever_the_order_of_arrival() -> None:
    rows = landed(record(STORY, 0), record(STORY, 3, source="b"), record("Oil falls as stocks build", 9))
    again = landed(*rows.drop("article_id", "position", "line", "rows_sha256").rows(named=True), position=1)
    once = resolve(rows)
    assert resolve(pl.concat([rows, again])).equals(once)
    assert resolve(pl.concat([again, rows])).equals(once)


def test_no_records_make_an_empty_table() -> None:
    rows = identity.identified(landed(record("x")).drop("article_id").clear())
    assert resolve(rows).equals(NEWS.empty())
