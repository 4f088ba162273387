"""How much of a metric is the luck of a seed: the same fit from several.

Belongs here: learning again with other seeds. Does not: choosing one, writing anything.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np

from spx_assets.settings import Settings
from spx_assets.training.dataset import Dataset
from spx_assets.training.evaluation.report import Spread
from spx_assets.training.learn import learn


def spread(
    data: Dataset, settings: Settings, family: str, *, name: str, week: date, run_id: str, seeds: int = 5
) -> Mapping[str, Spread]:
    """Mean and standard deviation of every metric over `seeds` fits, the settings' own seed the first.

    Empty for a family whose settings have no seed: it draws nothing. A metric that one of the fits cannot tell is left out.
    """
    own = getattr(settings.models, family, None)
    first = getattr(own, "seed", None)
    if own is None or first is None or seeds < 2:
        return {}
    found = []
    for seed in range(first, first + seeds):
        models = settings.models.model_copy(update={family: own.model_copy(update={"seed": seed})})
        seeded = settings.model_copy(update={"models": models})
        found.append(learn(data, seeded, name=name, family=family, week=week, run_id=run_id).manifest.metrics)
    told = {metric: [metrics.get(metric) for metrics in found] for metric in found[0]}
    known = {metric: [value for value in values if value is not None] for metric, values in told.items()}
    return {
        metric: Spread(float(np.mean(values)), float(np.std(values, ddof=1)))
        for metric, values in known.items()
        if len(values) == seeds
    }
