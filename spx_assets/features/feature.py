"""The record that declares one feature.

Belongs here: `Feature` and the shorthand its declarations share. Does not: any declaration or arithmetic.
"""

from collections.abc import Callable
from dataclasses import dataclass

BP = "basis points"
PRICE = "price"
PERCENT_A_YEAR = "percent a year"


@dataclass(frozen=True)
class Feature:
    """One feature: what it is called, what makes it, what it depends on and which values it can take.

    `kernel` is "module:function" below `spx_assets.features.kernels`, for the family `news` below `spx_assets.news`; one kernel
    may make several features. `inputs` are the columns of `bronze.candles` (or `daily_bars.<column>`, `news_sentiment.<column>`)
    that it reads besides the key.
    `warmup` is the index, from 0, of the first bar of a history without gaps that has a value.
    `low` and `high` are bounds that hold for every value by construction, not observed ranges.
    """

    name: str
    family: str
    kernel: str
    inputs: tuple[str, ...]
    warmup: int
    unit: str
    low: float | None
    high: float | None
    description: str
    model_input: bool
    seed_name: str | None

    @property
    def identity(self) -> str:
        """What a model that learned on this feature relies on; wording apart."""
        parts = (self.name, self.family, self.kernel, self.inputs, self.warmup, self.unit, self.low, self.high)
        return repr(parts)


def declare(family: str) -> Callable[..., Feature]:
    """A constructor for features of one family; model inputs unless told otherwise."""

    def feature(
        name: str,
        kernel: str,
        inputs: str,
        warmup: int,
        unit: str,
        low: float | None,
        high: float | None,
        description: str,
        *,
        model_input: bool = True,
        seed: str | None = None,
    ) -> Feature:
        where = kernel if ":" in kernel else f"{family}:{kernel}"
        return Feature(name, family, where, tuple(inputs.split()), warmup, unit, low, high, description, model_input, seed)

    return feature
