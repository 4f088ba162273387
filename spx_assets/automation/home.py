"""The root of the project, and its dagster.yaml in the home that is in use.

Belongs here: what a command needs before it starts Dagster. Does not: anything that imports Dagster, which takes 1.5 s of CPU.
"""

import os
import shutil
from pathlib import Path

from spx_assets.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def place(settings: Settings) -> None:
    """Put the project's dagster.yaml in the home and point DAGSTER_HOME and SPX_HOME at it, for this process and its children."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    # Renamed into its place, so that another process never reads half of it.
    fresh = settings.dagster_home / f".dagster.yaml.{os.getpid()}"
    shutil.copyfile(ROOT / "dagster.yaml", fresh)
    fresh.replace(settings.dagster_home / "dagster.yaml")
    os.environ["SPX_HOME"] = str(settings.home)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
