"""`spx train`: train forecasters for a week and let the gate judge them.

Belongs here: which families are asked for, how trials are shown. Does not: training, tuning.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from spx_assets.settings import Settings

NEEDS = {"lstm": "torch"}
"""Families that need a library which a home may do without."""


def train(
    names: list[str] | None = typer.Argument(None, help="Forecasters, e.g. spx500_h30; all of the home's when left out."),
    families: str | None = typer.Option(
        None, help="Families to train, comma separated, or all; those of SPX_MODELS__FAMILIES when left out."
    ),
    tune: bool = typer.Option(False, "--tune", help="Choose each family's parameters by trials first; resumes a stopped tuning."),
    folds: int = typer.Option(0, min=0, help="Cross-validate on this many purged expanding folds of fit and validation."),
    seeds: int = typer.Option(0, min=0, help="Tell in the report how far each metric spreads over this many seeds, from 2 on."),
    week: datetime | None = typer.Option(
        None, formats=["%Y-%m-%d"], help="A day of the newest week to learn from; default: the feed's last."
    ),
) -> None:
    """Train families of the forecasters on the week and those before it, then let the gate judge the candidates.

    Families beside the home's own are judged in this run only: name them in SPX_MODELS__FAMILIES to see them in the graph.
    """
    from spx_assets.cli import output, results, runs
    from spx_assets.settings import load

    settings = load()
    asked = settings.models.families if families is None else chosen(families)
    with runs.backfill(_with(settings, asked)) as plan, output.progress() as progress, _shown_trials(progress):
        forecasters = names or [name for name, _, _ in plan.settings.model_names]
        trained = [f"models/{name}/{family}" for name in forecasters for family in asked]
        target = runs.week(week) or plan.weeks()[-1]
        plan.run(
            [*trained, *(f"models/{name}/champion" for name in forecasters)],
            first=target,
            last=target,
            force=True,
            config={asset: {"tune": tune, "folds": folds, "seeds": seeds} for asset in trained},
            progress=progress,
        )
        output.table(results.models(plan.lake, [target]), title="Out of time, beside the baselines")


def chosen(text: str) -> tuple[str, ...]:
    """Families of `a,b` or `all`; what cannot be trained here is left out of all, and said.

    UnknownModelError for a family that is not known.
    """
    from spx_assets.training import ensemble, families
    from spx_assets.training.errors import UnknownModelError

    known = (*families.MODULES, ensemble.NAME)
    if text.strip() != "all":
        asked = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if not asked or set(asked) - set(known):
            raise UnknownModelError(f"--families {text!r}: name some of {', '.join(known)}, or all")
        return asked
    missing = {family: library for family, library in NEEDS.items() if find_spec(library) is None}
    for family, library in missing.items():
        typer.echo(
            f"{family} is left out: {library} is not installed (pip install -c constraints.txt -e '.[{library}]')", err=True
        )
    return tuple(family for family in known if family not in missing)


def _with(settings: "Settings", asked: tuple[str, ...]) -> "Settings":
    """The home's settings with these families beside its own, so that one gate judges them all."""
    together = tuple(dict.fromkeys((*settings.models.families, *asked)))
    return settings.model_copy(update={"models": settings.models.model_copy(update={"families": together})})


@contextmanager
def _shown_trials(progress: Callable[[str, int, int], None]) -> Iterator[None]:
    """A bar a stage of tuning on a terminal, else a line a trial."""

    class Trials(logging.Handler):
        """Shows the records of trials."""

        def emit(self, record: logging.LogRecord) -> None:
            trial = getattr(record, "trial", None)
            if trial is None:
                return
            if sys.stderr.isatty():
                progress(f"{trial.model} {trial.stage} trials", trial.finished, trial.wanted)
            else:
                typer.echo(trial.words, err=True)

    told, handler = logging.getLogger("spx_assets.training.tuning"), Trials()
    told.setLevel(logging.INFO)
    told.addHandler(handler)
    try:
        yield
    finally:
        told.removeHandler(handler)
