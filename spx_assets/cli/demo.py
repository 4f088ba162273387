"""`spx demo`: from nothing to one judged, served forecast, on the simulator or on a file of candles.

Belongs here: the order of the steps, their timings and what is printed. Does not: doing any of the steps.
"""

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from spx_assets import SpxError

if TYPE_CHECKING:
    import polars as pl

    from spx_assets.automation.backfill import Backfill
    from spx_assets.lake import Lake
    from spx_assets.settings import Settings

LAYERS = {
    "bronze": ["bronze/candles", "bronze/news"],
    "silver": ["silver/*"],
    "gold": ["gold/market_features", "gold/news_signals", "gold/labels"],
    "models": ["models/*"],
    "forecasts": ["gold/forecasts"],
}


class DemoError(SpxError):
    """The demo cannot run in this home, or its planted edge was not found."""


def demo(
    candles: Path | None = typer.Option(None, help="A file of one-minute candles; without it, the simulator."),
    instrument: str | None = typer.Option(None, help="Symbol of the file's rows, e.g. SPX500_USD."),
    tz: str | None = typer.Option(None, help="Time zone of the file's stamps where they carry none."),
) -> None:
    """Candles to lake to features to judged models to one HTTP forecast; exit 1 if the simulator's edge was not promoted."""
    from spx_assets.cli import output, results, runs
    from spx_assets.settings import load

    home = _home(candles)
    settings = load(home)
    os.environ["SPX_HOME"] = str(settings.home)
    seconds: dict[str, float] = {}
    with _Timed(seconds, "import"):
        settings = _bind(settings, candles, instrument, tz)
    with runs.backfill(settings) as plan, output.progress() as progress:
        weeks = plan.weeks()
        trained = [weeks[-4], weeks[-1]] if len(weeks) >= 4 else [weeks[-1]]
        for layer, names in LAYERS.items():
            with _Timed(seconds, layer):
                spans = [(week, week) for week in trained] if layer == "models" else [(None, None)]
                for first, last in spans:
                    plan.run(names, first=first, last=last, progress=progress)
        output.table(_layers(plan, seconds), title="Rows and seconds")
        if candles is None:
            output.table(results.news(plan.lake, weeks[-1]), title="What the newest bar knows of the news")
        output.table(results.models(plan.lake, trained), title="Out of time, beside the baselines")
        output.table(results.walk_forward_scores(plan.lake), title="Walk-forward forecasts")
        verdict = _verdict(plan)
    typer.echo(f"verdict\t{verdict}")
    with output.working("starting the service and asking it once"):
        answer = _ask(settings, _instrument(settings))
    typer.echo(answer)
    if candles is None and settings.simulator.edge >= 1 and verdict != "promoted":
        raise DemoError(f"the simulator's planted edge was not promoted (verdict {verdict}); see `spx sql` on models.promotions")


class _Timed:
    """Adds the wall seconds of a block to `seconds[name]`."""

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self._seconds, self._name = seconds, name

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._name] = self._seconds.get(self._name, 0.0) + time.perf_counter() - self._started


def _home(candles: Path | None) -> Path | None:
    """A file has a home of its own beside the simulator's, unless SPX_HOME says otherwise."""
    if candles is None or os.environ.get("SPX_HOME"):
        return None
    return Path(f".spx-{re.sub(r'[^A-Za-z0-9_.-]+', '_', candles.stem)}")


def _bind(settings: "Settings", candles: Path | None, instrument: str | None, tz: str | None) -> "Settings":
    """Bind the simulator, its newsroom beside it, or the file, whose instrument's scope is written to the home's settings.env."""
    from spx_assets.lake import Lake
    from spx_assets.settings import load, scope_of
    from spx_assets.sources import feeds

    lake = Lake.open(settings)
    kind = "simulator" if candles is None else "files"
    other = {name: feed.provider for name, feed in feeds.feeds(lake).items() if feed.provider != kind}
    if other:
        raise DemoError(
            f"{settings.home} has a {', '.join(other.values())} feed for {', '.join(other)}; set SPX_HOME to another folder"
        )
    if candles is None:
        bind_simulated(lake)
        return settings
    report = feeds.import_file(lake, candles, instrument=instrument, tz=tz)
    instruments = [report.instrument, *(part.instrument for part in report.others)]
    write_scope(settings.home, {scope_of(name): [name] for name in instruments})
    return load(settings.home)


def bind_simulated(lake: "Lake") -> None:
    """A market of the home's settings and the newsroom that writes beside it."""
    from spx_assets.sources import feeds, news, simulator

    feed = feeds.bind_simulator(lake, "SPX500_USD")
    news.import_simulated(lake, simulator.history(feed.simulator)[0], feed.end)


def write_scope(home: Path, scopes: dict[str, list[str]]) -> None:
    """Keep the home's model scopes in its settings.env, replacing an earlier line for them."""
    path = home / "settings.env"
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if not line.startswith("SPX_MODELS__SCOPES=")]
    path.write_text("\n".join([*kept, f"SPX_MODELS__SCOPES={json.dumps(scopes)}"]) + "\n")


def _layers(plan: "Backfill", seconds: dict[str, float]) -> "pl.DataFrame":
    import polars as pl

    tables = {
        "bronze": ["bronze.candles", "bronze.quarantine", "bronze.news", "bronze.news_quarantine"],
        "silver": [f"silver.{key.path[1]}" for key in plan.keys(["silver/*"])],
        "gold": ["gold.market_features", "gold.news_signals", "gold.labels"],
        "models": ["models.versions"],
        "forecasts": ["gold.forecasts"],
    }
    return pl.DataFrame(
        [
            {
                "layer": layer,
                "rows": sum(plan.lake.count(name) for name in names),
                "tables": len(names),
                "seconds": round(seconds[layer], 1),
            }
            for layer, names in tables.items()
        ]
    )


def _verdict(plan: "Backfill") -> str:
    """What the gate said of the version that is served for the shortest horizon."""
    import polars as pl

    rows = plan.lake.read("models.promotions").filter(pl.col("model_name") == plan.settings.model_names[0][0]).sort("decided_at")
    served = rows.filter("moves_current")["served"][-1]
    return str(rows.filter(pl.col("version") == served)["verdict"][-1])


def _instrument(settings: "Settings") -> str:
    return next(iter(settings.models.scopes.values()))[0]


def _ask(settings: "Settings", instrument: str) -> str:
    """Start the real service on a free port, ask it once, and return its answer verbatim."""
    import httpx

    from spx_assets.cli.processes import running_service

    with running_service(settings) as url:
        answer = httpx.post(f"{url}/predict", json={"instrument": instrument}, timeout=30.0)
    if answer.status_code != 200:
        body: Any = answer.text
        raise DemoError(f"POST /predict answered {answer.status_code}: {body}")
    return answer.text
