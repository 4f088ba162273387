"""Publishers' feeds against a server that serves them as publishers do: unchanged, moved, broken, in the wrong charset."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spx_assets.lake.connection import Lake
from spx_assets.sources import articles, news, news_feeds, rss
from spx_assets.sources.errors import BadAnswerError, ProviderDownError
from spx_assets.sources.http import Client
from spx_assets_tests.integration.sources.newspapers import MONDAY, landed, subscribed
from spx_assets_tests.integration.sources.press import Press

XML = "application/xml"


def feed(*items: str, language: str = "en-us") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>The Paper</title>'
        f"<language>{language}</language>{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    ).encode()


def item(number: int, *, title: str = "", date: str = "Mon, 08 Jan 2024 14:50:00 GMT", more: str = "") -> str:
    link = f"https://paper.example/{number}"
    return f"<title>{title or f'Story {number}'}</title><link>{link}</link><pubDate>{date}</pubDate>{more}"


def poll(lake: Lake, press: Press, *, now: datetime = MONDAY) -> news.LandingReport:
    settings = lake.settings.news.rss
    http = rss.client(settings, folder=lake.settings.home / "cache", sleep=lambda _: None, backoff_s=0.01)
    report = news.poll(lake, "rss", now=now, http=http)
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("name", "rows", "source", "title", "published"),
    [
        ("cnbc", 30, "International: Top News And Analysis", "Oil surges above $100", "2026-03-08T23:58:37"),
        ("google", 100, "Reuters", "Canada's labor market dips", "2026-03-13T12:33:03"),
        ("nytimes", 50, "NYT > Business", "Oil Prices Surge Above $100", "2026-03-08T23:24:20"),
        ("seekingalpha", 20, "AAPL - News and Analysis from Seeking Alpha", "Wall Street Week", "2026-03-08T11:23:46"),
        ("bloomberg_news_sitemap", 16, "Bloomberg", "Trump Wants Countries", "2026-03-15T00:48:24.900"),
    ],
)
def test_recorded_feeds(shared_data: Path, name: str, rows: int, source: str, title: str, published: str) -> None:
    data = (shared_data / f"api_samples/rss/{name}.xml").read_bytes()
    found = articles.frame(rss.records(data, url=f"https://paper.example/{name}.xml", kind=XML))
    assert found["reason"].null_count() == found["url"].is_not_null().sum() == found.height == rows
    first = found.row(0, named=True)
    assert (first["source"], first["published_at"], first["time_precision"]) == (
        source,
        datetime.fromisoformat(published).replace(tzinfo=UTC),
        "minute",
    )
    assert first["title"].startswith(title)
    assert "<" not in (first["body"] or "")
    assert json.loads(first["raw"])["title"] == first["title"]


def test_an_unchanged_feed_is_not_sent_again_and_a_changed_one_lands_what_is_new(news_lake: Lake, press: Press) -> None:
    lake = subscribed(news_lake, press)
    press.pages["/feed.xml"] = feed(item(1), item(2)), XML
    assert poll(lake, press).landed == 2
    assert poll(lake, press, now=MONDAY + timedelta(minutes=15)).rows == 0
    assert press.unchanged == 1
    press.pages["/feed.xml"] = feed(item(3), item(1), item(2, title="Story 2 &lt;b&gt;corrected")), XML
    report = poll(lake, press, now=MONDAY + timedelta(minutes=30))
    assert (report.landed, report.known) == (2, 1)
    rows = landed(lake)
    assert rows["title"].to_list() == ["Story 1", "Story 2", "Story 3", "Story 2 <b>corrected"]
    assert rows["known_at"].to_list() == [MONDAY] * 2 + [MONDAY + timedelta(minutes=30)] * 2
    assert news_feeds.feeds(lake)["rss"].polled_at == MONDAY + timedelta(minutes=30)


def test_what_was_old_when_a_feed_was_first_heard_or_heard_again_is_no_news(news_lake: Lake, press: Press) -> None:
    def dated(number: int, at: str) -> str:
        return item(number, date=f"Mon, 08 Jan 2024 {at} GMT")

    lake = subscribed(news_lake, press)
    listed = [dated(1, "13:59:59"), dated(2, "14:00:00"), item(3, date="2024-01-08"), item(4, date="soon")]
    for minutes, new in (
        (0, []),
        (15, [dated(5, "13:00:00"), dated(6, "15:10:00")]),
        (195, [dated(7, "14:10:00"), dated(8, "16:00:00")]),
    ):
        listed += new
        press.pages["/feed.xml"] = feed(*listed), XML
        poll(lake, press, now=MONDAY + timedelta(minutes=minutes))
    assert landed(lake)["title"].to_list() == ["Story 2", "Story 3", "Story 4", "Story 6", "Story 8"]


def test_a_feed_that_fails_keeps_no_other_from_being_heard(news_lake: Lake, press: Press) -> None:
    urls = [
        f"{press.url.replace('//', '//user:s3cret@')}/gone.xml?key=s3cret&q=a b",
        f"{press.url}/page.xml",
        f"{press.url}/old.xml",
        f"{press.url}/feed.xml",
    ]
    lake = subscribed(news_lake, press, rss={"urls": urls})
    press.pages |= {"/feed.xml": (feed(item(1)), XML), "/page.xml": (b"<!DOCTYPE html><html><p>Hello", "text/html")}
    press.moved["/old.xml"] = "/feed.xml"
    report = poll(lake, press)
    assert (report.rows, report.landed) == (2, 1)
    gone, page = report.troubles
    assert "404" in gone
    assert "neither RSS nor Atom nor a news sitemap" in page
    kept = f"{report.troubles} {news_lake.read('bronze.news_feeds').to_dicts()}"
    assert "s3cret" not in kept
    assert f"{press.url}/gone.xml" in kept
    del press.pages["/feed.xml"]
    with pytest.raises(Exception, match="404"):
        poll(lake, press)


@pytest.mark.parametrize(
    "data",
    [
        b"<html><head><title>Sign in</title></head><body>Please</body></html>",
        b"",
        b'{"error": "no feed"}',
        b'<?xml version="1.0"?><kml/>',
    ],
)
def test_what_is_no_feed_is_an_error_with_its_remedy(data: bytes) -> None:
    with pytest.raises(BadAnswerError, match=r"https://paper.example/a is neither RSS.*correct SPX_NEWS__RSS__URLS"):
        rss.records(data, url="https://user:pass@paper.example/a?key=k", kind="text/html")


@pytest.mark.parametrize(
    ("charset", "said", "kind"),
    [
        ("utf-8", "utf-8", "application/xml; charset=iso-8859-1"),
        ("iso-8859-1", "utf-8", XML),
        ("windows-1252", "iso-8859-1", "text/xml; charset=utf-8"),
        ("utf-16", "utf-16", XML),
    ],
)
def test_titles_survive_a_charset_that_is_not_the_one_declared(charset: str, said: str, kind: str) -> None:
    text = feed(item(1, title="Börse: Café à la baisse, 5 £")).decode().replace("UTF-8", said)
    (row,) = rss.records(text.encode(charset), url="https://paper.example/a", kind=kind)
    assert row["title"] == "Börse: Café à la baisse, 5 £"


def test_a_feed_cut_short_gives_what_came() -> None:
    whole = feed(item(1), item(2), item(3))
    rows = rss.records(whole[: whole.index(b"Story 3") + 3], url="https://paper.example/a", kind=XML)
    assert [row["title"] for row in rows][:2] == ["Story 1", "Story 2"]


def test_markup_and_control_characters_in_titles_are_text() -> None:
    titles = ["&lt;script&gt;alert(1)&lt;/script&gt; S&amp;P", "<![CDATA[<img src=x onerror=alert(1)> up]]>", "Bell \x07 rings"]
    rows = rss.records(feed(*(item(n, title=title) for n, title in enumerate(titles))), url="https://paper.example/a", kind=XML)
    assert [row["title"] for row in rows] == [
        "<script>alert(1)</script> S&P",
        "<img src=x onerror=alert(1)> up",
        "Bell \x07 rings",
    ]


def test_summaries_lose_their_markup_and_sources_are_the_entrys_own() -> None:
    more = "<description>&lt;p&gt;Up &amp;amp; &lt;b&gt;away&lt;/b&gt;&lt;/p&gt;</description><source>The Wire</source>"
    (row,) = rss.records(feed(item(1, more=more)), url="https://paper.example/a", kind=XML)
    assert (row["body"], row["source"]) == ("Up & away", "The Wire")


@pytest.mark.parametrize(
    ("date", "published", "precision"),
    [
        ("Mon, 08 Jan 2024 09:50:00 EST", datetime(2024, 1, 8, 14, 50, tzinfo=UTC), "minute"),
        ("2024-01-08T14:50:00Z", datetime(2024, 1, 8, 14, 50, tzinfo=UTC), "minute"),
        ("2024-01-08", datetime(2024, 1, 8, tzinfo=UTC), "day"),
        ("soon", None, "day"),
    ],
)
def test_dates_of_entries(date: str, published: datetime | None, precision: str) -> None:
    (row,) = rss.records(feed(item(1, date=date)), url="https://paper.example/a", kind=XML)
    assert (row["published_at"], row["time_precision"]) == (published, precision)
    assert (row["reason"] is None) == (published is not None)


def test_atom() -> None:
    data = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>The Paper</title><entry><title type="html">A &lt;b&gt;story</title>'
        b'<link href="https://paper.example/1"/><updated>2024-01-08T15:50:00+01:00</updated><author><name>A. W.</name></author>'
        b"<summary>Short.</summary></entry></feed>"
    )
    (row,) = rss.records(data, url="https://paper.example/atom", kind="application/atom+xml")
    said = (row["source"], row["title"], row["url"], row["body"], row["author"], row["published_at"])
    assert said == ("The Paper", "A <b>story", "https://paper.example/1", "Short.", "A. W.", MONDAY - timedelta(minutes=10))


def test_a_bomb_of_entities_does_not_go_off() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "lol">{entities}]>'.encode()
    data = head + feed("<title>&e11;</title>").partition(b"?>")[2]
    with pytest.raises(BadAnswerError, match="defines entities of its own"):
        rss.records(data, url="https://paper.example/a", kind=XML)


def test_what_feeds_still_list_is_imported_as_an_archive(news_lake: Lake, press: Press) -> None:
    lake = subscribed(news_lake, press)
    press.pages["/feed.xml"] = feed(item(1), item(2, date="Mon, 01 Jan 2024 14:50:00 GMT"), item(3, date="")), XML
    report = news.download(lake, "rss", MONDAY - timedelta(days=1), MONDAY)
    assert (report.landed, dict(report.refused)) == (1, {"no readable time of publication": 1})
    rows = landed(lake)
    assert rows["known_at"][0] == MONDAY - timedelta(minutes=10)
    assert not news_feeds.feeds(lake)["rss"].live


def test_an_entry_of_an_archive_is_known_from_its_change_and_after_its_midnights_date(news_lake: Lake, press: Press) -> None:
    entry = (
        "<entry><title>{0}</title><link href='https://p.example/{0}'/><published>{1}</published><updated>{2}</updated></entry>"
    )
    entries = [
        ("A", "2024-01-08T09:00:00Z", "2024-01-08T11:00:00Z"),
        ("B", "2024-01-08T09:00:00Z", "2024-01-08T08:00:00Z"),
        ("C", "2024-01-08T00:00:00-05:00", "2024-01-08T00:00:00-05:00"),
        ("D", "2024-01-08T09:00:00Z", "2024-01-08"),
        ("E", "2024-01-08T09:00:00Z", "2024-01-09"),
    ]
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>P</title>{''.join(entry.format(*e) for e in entries)}</feed>"
    press.pages["/feed.xml"] = atom.encode(), "application/atom+xml"
    lake = subscribed(news_lake, press)
    news.download(lake, "rss", MONDAY - timedelta(days=1), MONDAY)
    known = dict(landed(lake).select("title", "known_at").iter_rows())
    clock = [(8, 11), (8, 9), (9, 5), (8, 9), (10, 5)]
    assert known == {name: datetime(2024, 1, *at, tzinfo=UTC) for name, at in zip("ABCDE", clock, strict=True)}


def test_feeds_must_be_named_and_up(news_lake: Lake, press: Press) -> None:
    with pytest.raises(BadAnswerError, match="set SPX_NEWS__RSS__URLS"):
        news.poll(subscribed(news_lake, press, rss={"urls": []}), "rss")
    press.faults.extend([503] * 6)
    with pytest.raises(ProviderDownError):
        poll(subscribed(news_lake, press), press)
    with pytest.raises(BadAnswerError, match="correct the address"):
        poll(subscribed(news_lake, press, rss={"urls": ["ftp://paper.example/feed"]}), press)


def test_a_redirect_in_a_circle_ends(press: Press) -> None:
    press.moved["/a"] = "/a"
    with Client("The feed", "", timeout_s=5.0, redirects=True) as http, pytest.raises(BadAnswerError, match="cannot be asked"):
        http.answer(f"{press.url}/a")
