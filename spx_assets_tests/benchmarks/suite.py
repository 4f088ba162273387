"""The short suite on two workers, as `make test` runs it, and what each part of the platform takes of it."""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from spx_assets.automation.instance import ROOT
from spx_assets_tests.benchmarks.line import Line, spent

WORKERS = 2
BUDGET_S = 600.0
PARTS = (
    ("faces: dashboard, compose, documentation", 60.0, r"\.(browser|compose)\.|\.test_(dashboard|board|compose|docs|glossary)\b"),
    ("serving", 90.0, r"\.serving\."),
    (
        "monitoring: drift, performance, alerts, upkeep",
        60.0,
        r"\.(monitoring|upkeep)\.|\.(automation|cli)\.test_\w*(measured|drift|performance|retrain|sensor|schedule|alert|announc|scenario)",
    ),
    ("news", 60.0, r"\.news\.|_news_|test_(news|articles|calls|gdelt|rss|bodies)\b"),
    ("training", 90.0, r"\.(training|scoring)\.(?!test_(pipeline|lightgbm)\b)|test_train\b"),
    ("spine: lake, candles, features, labels, graph, one model, commands", 210.0, ""),
)
"""Name, budget in seconds and the test modules of each part; a module belongs to the first that finds it."""


def run() -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), "--dist", "worksteal", f"--junitxml={report}"]
        with spent() as used:
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        taken = parts(report)
    whole = Line("`make test` after install", used.wall_s, BUDGET_S, "s")
    return [whole, *(Line(f"its part of {name}", taken[name] / WORKERS, budget, "s") for name, budget, _ in PARTS)]


def parts(report: Path) -> dict[str, float]:
    """Seconds of the workers by part: set-up, call and tear-down of each test in the report."""
    taken = defaultdict[str, float](float)
    for test in ElementTree.parse(report).iter("testcase"):
        module = test.get("classname", "")
        taken[next(name for name, _, modules in PARTS if re.search(modules, module))] += float(test.get("time", 0.0))
    return taken
