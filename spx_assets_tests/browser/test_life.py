"""The page while things happen: bars come, the service goes and comes back, a home is empty, a key is asked for."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.keys import KeyStore
from spx_assets_tests.browser.conftest import Opener
from spx_assets_tests.browser.site import Site
from spx_assets_tests.integration.serving import homes

FAST = {"SPX_STREAM__SOURCE": "simulator", "SPX_STREAM__SPEED": "120"}
"""Two bars a second."""


@pytest.fixture
def empty(chromium: Browser, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "nothing")
    made.start()
    yield made
    made.stop()


def bar(page: Page) -> str:
    return page.locator("#move").inner_text()


def test_new_bars_are_drawn_and_the_page_comes_back_after_the_service_was_restarted(
    site: Site, opened: Opener, shots: Path
) -> None:
    page = opened(site.url)
    connection = page.locator("#connection")
    expect(connection).to_have_text("Live")
    expect(page.locator("#move")).to_contain_text("bar of 15:59 UTC")
    for panel in ("system", "model"):
        page.locator(f"#{panel}-body > *").first.wait_for()
    site.stop()
    expect(connection).to_have_text(re.compile("Reconnecting|Service away"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#system .state")).to_contain_text("does not answer")
    expect(page.locator("#system .state")).to_contain_text("Shown as of")
    assert page.locator("#model-body table").count() == 1, "what was known stays"
    page.screenshot(path=shots / "service-away.png")
    site.start(**FAST)
    expect(connection).to_have_text("Live")
    expect(page.locator("#system .state")).to_be_hidden()
    expect(page.locator("#move")).not_to_contain_text("15:59 UTC")
    before, signal = bar(page), page.locator("#signal-body .facts").inner_text()
    expect(page.locator("#move")).not_to_have_text(before)
    expect(page.locator("#signal-body .facts")).not_to_have_text(signal)
    page.screenshot(path=shots / "live.png")


def test_an_empty_home_says_what_to_do(empty: Site, opened: Opener, shots: Path) -> None:
    page = opened(empty.url)
    for panel, remedy in (
        ("market", "spx demo"),
        ("signal", "spx demo"),
        ("model", "spx demo"),
        ("roc", "spx train"),
        ("record", "spx demo"),
        ("drift", "spx demo"),
        ("news", "spx demo"),
    ):
        expect(page.locator(f"#{panel} .state")).to_contain_text(remedy)
    expect(page.locator("#system-body")).to_contain_text("no model is loaded; train one with spx train")
    assert page.evaluate("document.documentElement.scrollWidth") == 1440, "long paths are broken into lines"
    assert page.evaluate("window.violations") == []
    assert [text for text in page.told if "503" not in text] == []  # type: ignore[attr-defined]
    page.screenshot(path=shots / "empty.png", full_page=True)


def test_in_production_the_page_is_behind_a_key_and_shows_and_streams_with_one(site: Site, opened: Opener, shots: Path) -> None:
    settings = homes.settings_of(site.home)
    _, key = KeyStore(settings).create("desk", role="viewer")
    site.stop()
    site.start(SPX_SERVING__MODE="production")
    page = opened(site.url)
    expect(page).to_have_title("Sign in to spx-assets")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#model-body")).to_contain_text("promoted")
    page.screenshot(path=shots / "production.png")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in to spx-assets")
