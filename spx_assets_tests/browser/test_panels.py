"""The page in a real browser: each panel's numbers, its looks, who can use it, what runs in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from spx_assets.lake import Lake
from spx_assets_tests.browser.chrome import first_paint_ms, redraws, until
from spx_assets_tests.browser.conftest import Opener, opening
from spx_assets_tests.browser.site import HOSTILE, METRICS, Site
from spx_assets_tests.integration.serving import homes

CHARTS = ("candles", "importance-chart", "roc-chart", "calibration-chart", "record-chart", "drift-chart")
BODIES = ("signal-body", "model-body", "news-body", "confusion-body", "record-table", "system-body", "drift-table")
PANELS = ("market", "signal", "model", "importance", "news", "roc", "confusion", "calibration", "record", "system", "drift")
PAINTED = "(e) => e.getContext('2d').getImageData(0, 0, e.width, e.height).data.some((value) => value > 0)"
AXIS = "document.getElementById('candles')._fullLayout.xaxis.range[0].replace('T', ' ').slice(0, 15)"
DARK_PAGE, LIGHT_PAGE, DARK_TICKS = "rgb(13, 18, 24)", "rgb(243, 245, 248)", "rgb(160, 173, 187)"
INKED_DARK = f"[...document.querySelectorAll('.chart .xtick text')].every((e) => getComputedStyle(e).fill === '{DARK_TICKS}')"


# Back to how a page is after loading, the place included from which the Tab key goes on.
AFRESH = """() => {
  scrollTo(0, 0);
  const top = document.createElement("a");
  top.href = "#";
  document.body.prepend(top);
  top.focus();
  top.remove();
}"""


def settled(page: Page) -> Page:
    """The page once every panel has its numbers and every chart was scrolled past and drawn."""
    for body in BODIES:
        page.locator(f"#{body} > *").first.wait_for()
    for chart in CHARTS:
        page.locator(f"#{chart}").scroll_into_view_if_needed()
        page.locator(f"#{chart} .main-svg").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    return page


@pytest.fixture(scope="module")
def shown(site: Site, chromium: Browser) -> Iterator[Page]:
    """One page of a desktop for all tests here: loading and drawing it takes 3 CPU s. `page.jumped`: how far its layout moved."""
    with opening(chromium) as opened:
        page = opened(site.url)
        page.locator("#candles .main-svg").first.wait_for()
        page.locator("#system-body > *").first.wait_for()
        page.jumped = page.evaluate("window.shifted")  # type: ignore[attr-defined]
        yield settled(page)


@pytest.fixture
def page(shown: Page) -> Page:
    """That page, whatever a test before chose on it undone."""
    for label, value in (("Theme", "system"), ("Times", "utc")):
        chosen = shown.get_by_label(label)
        if chosen.input_value() != value:
            chosen.select_option(value)
    shown.get_by_role("button", name="5 min", exact=True).click()
    shown.emulate_media(color_scheme="light")
    shown.evaluate(AFRESH)
    return shown


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_every_panel_shows_the_numbers_of_the_home(site: Site, page: Page, shots: Path) -> None:
    text = {panel: page.locator(f"#{panel}").inner_text() for panel in PANELS}
    lake = Lake.open(homes.settings_of(site.home), read_only=True)
    assert f"{lake.read('bronze.candles', columns=['close'])['close'][-1]:,.2f}" in text["market"]
    assert page.locator("#candles .over").evaluate(PAINTED)
    newest = page.request.get(f"{site.url}/predictions/history?limit=1").json()["predictions"][0]
    assert newest["signal"].capitalize() in text["signal"]
    assert f"{100 * newest['confidence']:.1f} % sure" in text["signal"]
    assert "threshold of 60.0 %" in text["signal"]
    assert page.locator("#signal-body tbody tr").count() == 5
    for name, base in (("auc", "0.5000 coin toss"), ("log_loss", "0.6925 base rate"), ("rmse_bp", "15.22 bp zero")):
        digits = 2 if name == "rmse_bp" else 4
        assert re.search(rf"{METRICS[name]:.{digits}f}( bp)?\s+{re.escape(base)}", text["model"])
    assert "promoted" in text["model"]
    assert "Most owed to" in text["importance"]
    assert "Area 0.612" in text["roc"]
    assert "4,652" in text["confusion"]
    assert "59.6 % of the stated directions came true" in text["confusion"]
    assert "Calibration error 0.019" in text["calibration"]
    assert text["news"].count("Newswire") == 12
    outcomes = lake.read("serving.outcomes").filter(pl.col("status") == "settled")
    hits = outcomes["hit"].drop_nulls()
    assert f"{100 * hits.sum() / len(hits):.1f} %" in text["record"]
    assert f"{outcomes.height} of 200 forecasts" in text["record"] or f"{outcomes.height} of 201 forecasts" in text["record"]
    assert "made for 90 %" in text["record"]
    assert "3 of 40 inputs, 8 %" in text["drift"]
    assert page.locator("#drift-table tbody tr").filter(has_text="drifted").count() == 3
    assert "healthy" in text["system"]
    assert "bronze/candles" in text["system"]
    page.screenshot(path=shots / "desktop-light.png", full_page=True)


def test_the_page_paints_within_a_second_without_a_jump_or_anything_its_policy_stops(
    site: Site, page: Page, opened: Opener
) -> None:
    painted_ms = [first_paint_ms(page)]
    # Others use the machine while tests run, and that page was the browser's first: the best of three.
    while painted_ms[-1] > 1000 and len(painted_ms) < 3:
        painted_ms.append(first_paint_ms(opened(site.url)))
    assert min(painted_ms) <= 1000
    assert page.jumped < 0.05  # type: ignore[attr-defined]
    assert page.evaluate("window.violations") == []
    assert page.told == []  # type: ignore[attr-defined]
    assert {url.split("/")[2] for url in page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")} == {
        site.url.removeprefix("http://")
    }


def test_a_day_of_minutes_redraws_within_a_tenth_of_a_second(page: Page) -> None:
    bars, _, spent_ms = redraws(page, times=4)
    assert bars >= 1000, "the home's day has fewer bars"
    # CPU of the page's thread: others use the machine while tests run. `make bench` has the time that passes.
    assert min(spent_ms) <= 100


def test_a_headline_that_is_markup_is_shown_as_text(page: Page) -> None:
    headline = page.locator("#news-body li").filter(has_text="Stocks & bonds")
    expect(headline.locator("b")).to_have_text(HOSTILE)
    assert headline.locator("a").count() == 0, "an address that is no web address is no link"
    assert page.locator("#news-body img, #news-body script").count() == 0
    assert page.title() == "S&P 500 intraday forecasts"


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious_stands_between_the_page_and_those_who_cannot_see_it(page: Page, shots: Path, dark: bool) -> None:
    if dark:
        page.emulate_media(color_scheme="dark")
        until(page, INKED_DARK)
    assert background(page) == (DARK_PAGE if dark else LIGHT_PAGE)
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []
    if dark:
        page.screenshot(path=shots / "desktop-dark.png", full_page=True)


def test_the_theme_is_chosen_and_kept_and_drawn_in_the_charts(page: Page) -> None:
    assert background(page) == LIGHT_PAGE
    page.get_by_label("Theme").select_option("dark")
    assert background(page) == DARK_PAGE
    until(page, INKED_DARK)
    again = page.context.new_page()
    again.goto(page.url)
    assert background(again) == DARK_PAGE
    again.close()


def test_times_are_in_utc_until_local_ones_are_chosen(page: Page) -> None:
    expect(page.locator("#move")).to_contain_text("bar of 15:59 UTC")
    until(page, f"{AXIS} === '2025-10-14 15:5'")
    page.get_by_label("Times").select_option("local")
    expect(page.locator("#move")).to_contain_text("bar of 11:59 local")
    until(page, f"{AXIS} === '2025-10-14 11:5'")
    expect(page.locator(".zone-name").first).to_have_text("America/New York")


def test_the_page_fits_a_phone(site: Site, opened: Opener, shots: Path) -> None:
    page = settled(opened(site.url, phone=True))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    sides = page.evaluate("[...document.querySelectorAll('.panel')].map((e) => Math.round(e.getBoundingClientRect().right))")
    assert max(sides) <= 360
    page.screenshot(path=shots / "phone.png", full_page=True)


def test_the_keyboard_reaches_what_can_be_chosen_and_the_data_of_a_chart(page: Page) -> None:
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 22) || document.activeElement.id"))
    assert reached[0] == "Skip to the panels"
    assert {"1 min", "5 min", "15 min"} <= set(reached)
    page.locator("#roc summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#roc table caption")).to_have_text("ROC curve")
    assert page.locator("#candles").get_attribute("role") == "img"
    expect(page.locator("#candles-text")).to_contain_text("one-minute bars")


def test_the_drift_report_runs_in_a_sandbox_without_an_origin(site: Site, page: Page, opened: Opener) -> None:
    link = page.get_by_role("link", name=re.compile("Evidently report"))
    assert link.get_attribute("target") == "_blank"
    report = opened(site.url, path=str(link.get_attribute("href")))
    expect(report).to_have_title("drawn by null")
