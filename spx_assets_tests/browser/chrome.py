"""Debian's Chromium, headless, and what is measured in it.

Belongs here: starting it, waiting, timing a redraw. Does not: what the page is to show (the tests), the service (`site`).
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
DRAWN = "performance.getEntriesByName('candles-1min')"


def path() -> str | None:
    """Where it is installed."""
    return shutil.which("chromium")


@contextmanager
def launched(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


def until(page: Page, expression: str) -> None:
    """Wait for something to be true in the page. Playwright's own waiting would need `eval`, which the page's policy forbids."""
    deadline = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def redraws(page: Page, *, times: int) -> tuple[int, list[float], list[float]]:
    """How many bars the day has, and the milliseconds of drawing all of them again, so many times: by the page's own marks, and
    the CPU of the page's thread, which what else runs on the machine delays less.
    """
    page.locator("#candles .over").wait_for()
    button = page.get_by_role("button", name="1 min", exact=True)
    button.click()
    until(page, f"{DRAWN}.length >= 1")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def used_ms() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1e3 * float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    spent = []
    for done in range(1, times + 1):
        before = used_ms()
        button.evaluate("(e) => e.click()")
        until(page, f"{DRAWN}.length > {done}")
        spent.append(used_ms() - before)
    marks = page.evaluate(f"{DRAWN}.map((e) => [e.duration, e.detail])")
    return int(marks[-1][1]), [duration for duration, _ in marks[1:]], spent


def first_paint_ms(page: Page) -> float:
    """From the address to the first text that is seen."""
    return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
