"""What moved a forecast: each input in turn replaced by its median over the training rows.

Belongs here: occlusion against medians, the five largest effects. Does not: the forecast itself (`forecasts`), medians
(`spx_assets.training.provenance`).

One call of the graph with a row for each input. It is an effect of one input alone: where two inputs tell the same, the model
may lean on either, and each seems to move little. Of a sequence the input is replaced in every row.
"""

import numpy as np

from serving.contracts import Reason
from serving.forecasts import Made
from serving.problems import NoMedians

TOP = 5


def of(made: Made) -> list[Reason]:
    """The inputs that move the probability of up most, largest first; `NoMedians` for a version trained without them."""
    manifest = made.model.manifest
    if len(manifest.medians) != len(manifest.features):
        raise NoMedians(f"{manifest.name} {manifest.version} was trained before medians were kept; train it again")
    medians = np.array([np.nan if value is None else value for value in manifest.medians], dtype=np.float32)
    own = made.X[-manifest.input_rows :]
    replaced = np.repeat(own[None], len(medians), axis=0)
    at = np.arange(len(medians))
    replaced[at, :, at] = medians[:, None]
    without = made.model.forecaster.predict(replaced)
    up = float(made.forecast.probability_up[0]) - without.probability_up
    return_bp = float(made.forecast.return_bp[0]) - without.return_bp
    # An input that no training row knew has no median to be set against.
    told = ~np.isnan(medians) & without.finite
    up[~told], return_bp[~told] = 0.0, 0.0
    largest = np.lexsort((-np.abs(return_bp), -np.abs(up)))[:TOP]
    return [
        Reason(
            feature=manifest.features[k],
            value=None if np.isnan(own[-1, k]) else float(own[-1, k]),
            median=float(medians[k]),
            probability=float(up[k]),
            return_bp=float(return_bp[k]),
        )
        for k in largest.tolist()
        if told[k]
    ]
