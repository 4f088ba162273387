"""One headless Chromium and one service for a module of page tests.

Belongs here: starting both, what every page is watched for, where pictures are kept. Does not: assertions of single panels.

Pictures go to the folder that SPX_SCREENSHOTS names, else to the run's temporary folder: they are looked at, not compared.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from spx_assets_tests import built_once
from spx_assets_tests.browser import chrome
from spx_assets_tests.browser.site import Site, make
from spx_assets_tests.postgres import unavailable

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
WATCH = """
window.violations = []; window.shifted = 0;
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifted += e.value; })
  .observe({ type: "layout-shift", buffered: true });
"""
Opener = Callable[..., Page]
expect.set_options(timeout=60_000)
_shots = os.environ.get("SPX_SCREENSHOTS")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; skips where Debian's chromium is not installed.

    Not for longer than a module: while it is open the thread has a running event loop, in which `asyncio.run` of others fails.
    """
    executable = chrome.path()
    if executable is None:
        unavailable("chromium is not installed")
        raise AssertionError("unreachable")
    with chrome.launched(executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service over a home with something in every panel."""
    made = Site(built_once.copy(tmp_path_factory, "browser", make))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opener]:
    """Opens a page in a context of its own, watched. What it tells on its console is `page.told`."""
    with opening(chromium) as opener:
        yield opener


@contextmanager
def opening(chromium: Browser) -> Iterator[Opener]:
    """Such an opener; its pages are closed at the end."""
    contexts: list[BrowserContext] = []

    def open_(url: str, *, phone: bool = False, dark: bool = False, path: str = "/") -> Page:
        context = chromium.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            locale="en-GB",
            timezone_id="America/New_York",
        )
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(20_000)
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.told = told  # type: ignore[attr-defined]
        page.goto(url + path)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are kept."""
    folder = Path(_shots) if _shots else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
