"""Model families behind one protocol.

A family is one module here and its line in `MODULES`; in `settings` its name in `FAMILIES`, a class of its parameters and a
field of that class; and its search space in `tuning.spaces`.

Belongs here: finding a family by name without importing the libraries of the others. Does not: any model.
"""

from importlib import import_module

from spx_assets.training.errors import UnknownModelError
from spx_assets.training.families.base import Family

MODULES = {
    "lightgbm": "spx_assets.training.families.lightgbm",
    "xgboost": "spx_assets.training.families.xgboost",
    "random_forest": "spx_assets.training.families.random_forest",
    "linear": "spx_assets.training.families.linear",
    "lstm": "spx_assets.training.families.lstm",
}
"""Family name -> the module whose `FAMILY` it is."""


def get(name: str) -> Family:
    """The family called `name`; UnknownModelError names the known ones."""
    if name not in MODULES:
        raise UnknownModelError(f"no model family {name!r}; SPX_MODELS__FAMILIES may name {', '.join(MODULES)}")
    family: Family = import_module(MODULES[name]).FAMILY
    return family
