"""`make docs`: writes the pages that are made from the code."""

from spx_assets.automation.instance import ROOT
from spx_assets_tests.documents import PAGES

for name, page in PAGES.items():
    (ROOT / "docs" / name).write_text(page())
    print(f"docs/{name}")
