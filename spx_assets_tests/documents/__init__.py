"""Pages of `docs/` that are made from the code: `make docs` writes them, a test compares them with what lies there.

Belongs here: one function a page, each giving Markdown. Does not: pages that people write.
"""

from collections.abc import Callable

from spx_assets_tests.documents import api, commands, glossary, settings

PAGES: dict[str, Callable[[], str]] = {
    "api.md": api.page,
    "commands.md": commands.page,
    "glossary.md": glossary.page,
    "settings.md": settings.page,
}
"""File of `docs/` -> what makes it."""
