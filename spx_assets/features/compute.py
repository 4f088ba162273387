"""From a history to all features of a family: the one path that batch, online and tests share.

Belongs here: which kernels a family has, running them, and how a number is stored. Does not: windows, frames, the lake.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from spx_assets import SpxError
from spx_assets.features import catalog
from spx_assets.features.bars import F64, Bars, DailyBars
from spx_assets.features.days import Span, together
from spx_assets.features.feature import Feature

Kernel = Callable[..., Mapping[str, F64]]
_KERNELS = "spx_assets.features.kernels"


class KernelError(SpxError):
    """A kernel does not make what the catalog says it makes."""


@dataclass(frozen=True)
class Step:
    """One kernel and the features of the catalog it makes."""

    kernel: Kernel
    needs_days: bool
    features: tuple[Feature, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(f.name for f in self.features)


@cache
def steps(family: str, *, model_inputs_only: bool = False) -> tuple[Step, ...]:
    """The kernels of a family in catalog order; with `model_inputs_only`, those that make at least one model input."""
    made: dict[str, list[Feature]] = {}
    for feature in catalog.family(family):
        made.setdefault(feature.kernel, []).append(feature)
    return tuple(
        Step(_load(name), any(i.startswith("daily_bars.") for f in features for i in f.inputs), tuple(features))
        for name, features in made.items()
        if not model_inputs_only or any(f.model_input for f in features)
    )


def compute(family: str, bars: Bars, daily: DailyBars | None = None, *, model_inputs_only: bool = False) -> dict[str, F64]:
    """Every feature of `family` on the rows of `bars` from `bars.first` on, float64, NaN where it is not known.

    The value of a row depends on the rows up to it (and on completed days before its own) only. `daily` is for the family
    `timeframes`; without it daily features are null.
    """
    if len(bars) == 0:
        return {f.name: np.empty(0) for f in catalog.family(family) if f.model_input or not model_inputs_only}
    run, known = steps(family, model_inputs_only=model_inputs_only), daily or DailyBars.none()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        made = [_merged(_made(run, part, known)) for part in bars.parts()]
    return made[0] if len(made) == 1 else {name: np.concatenate([values[name] for values in made]) for name in made[0]}


def model_inputs(bars: Bars, daily: DailyBars) -> dict[str, F64]:
    """Every model input made of bars on the rows of `bars` from `bars.first` on, those of one trading day."""
    out: dict[str, F64] = {}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Names are compared with the catalog's where tables are made of the same kernels: of one row that is a fiftieth.
        for step in _steps_to_inputs():
            out.update(step.kernel(bars, daily) if step.needs_days else step.kernel(bars))
    return out


@cache
def _steps_to_inputs() -> tuple[Step, ...]:
    return tuple(step for family in catalog.MARKET_FAMILIES for step in steps(family, model_inputs_only=True))


def _merged(made: Iterable[Mapping[str, F64]]) -> dict[str, F64]:
    out: dict[str, F64] = {}
    for values in made:
        out.update(values)
    return out


def compute_spans(
    family: str, bars: Bars, spans: Sequence[Span], daily: DailyBars, keep: Callable[[int, str, F64], None]
) -> None:
    """Every feature of `family` for consecutive spans of rows, given away kernel by kernel, while it is in the cache.

    `keep` takes the row of `bars` from which on the values are, a feature's name, and its values.
    """
    run = steps(family)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for group in together(spans):
            for made in _made(run, bars.over(group), daily):
                for name, values in made.items():
                    keep(group[0].first, name, values)


def _made(run: tuple[Step, ...], bars: Bars, daily: DailyBars) -> Iterator[Mapping[str, F64]]:
    """Features of rows that kernels may answer for in one call, kernel by kernel."""
    for step in run:
        values = step.kernel(bars, daily) if step.needs_days else step.kernel(bars)
        if values.keys() != step.names:
            wrong = ", ".join(sorted(values.keys() ^ step.names))
            raise KernelError(f"{step.features[0].kernel} and the catalog differ in {wrong}: correct one of them")
        yield values


def stored(feature: Feature, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values as the lake and the model have them: model inputs cast to float32 once, NaN for everything not finite.

    May write into `values`.
    """
    typed = values.astype(np.float32 if feature.model_input else np.float64, copy=False)
    known = np.isfinite(typed)
    if not known.all():
        typed[~known] = np.nan
    return typed


def _load(name: str) -> Kernel:
    module, function = name.split(":")
    kernel: Kernel = getattr(import_module(f"{_KERNELS}.{module}"), function)
    return kernel
