"""The dashboard in a real browser: the first paint, and a day of one-minute bars drawn again."""

from statistics import median

from spx_assets.settings import load
from spx_assets_tests.benchmarks.line import Line
from spx_assets_tests.browser import chrome, site

PAGES, TIMES = 5, 15


def run() -> list[Line]:
    executable = chrome.path()
    if executable is None:
        raise SystemExit("chromium is not installed; install Debian's package")
    home = load().home
    site.make(home)
    served = site.Site(home, whole=True)
    served.start()
    try:
        with chrome.launched(executable) as browser:
            painted = []
            for _ in range(PAGES):
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                page.goto(served.url)
                painted.append(chrome.first_paint_ms(page))
            bars, passed, spent = chrome.redraws(page, times=TIMES)
    finally:
        served.stop()
    return [
        Line("dashboard, first paint", median(painted), 1000.0, "ms"),
        Line(f"a day of {bars:,} bars drawn again", median(passed), 100.0, "ms"),
        Line("CPU of the page for it", median(spent), 100.0, "ms"),
    ]
