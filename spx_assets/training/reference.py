"""What is kept of the rows a version was trained on, for monitoring to set later days against.

Belongs here: which rows tell what is usual of inputs, target and forecasts. Does not: the statistics and the file
(`monitoring.summary`, `monitoring.reference`).
"""

import numpy as np
import numpy.typing as npt

from spx_assets.monitoring import counting, occlusion, reference, summary
from spx_assets.monitoring.reference import Reference, Section
from spx_assets.training.judgement import Evidence

FORECASTS = ("expected_return_bp", "probability_up")


def files(evidence: Evidence) -> dict[str, bytes]:
    """The file of the artifact: inputs and target over the whole training window, forecasts where the fit has not looked."""
    return {reference.FILE: reference.encode(of(evidence))}


def of(evidence: Evidence) -> Reference:
    """Inputs, target and forecasts of every instrument of the model. The same for the same model and rows."""
    inputs, target, forecasts, attributions = (list[Section]() for _ in range(4))
    data, names = evidence.data, evidence.ready.manifest.features
    X = data.select(names)
    unseen = np.sort(np.concatenate([rows for part, rows in evidence.segments.items() if part != "fit"]))
    for code, instrument in enumerate(data.instruments):
        own = data.instrument == code
        rows = np.flatnonzero(own)
        if not len(rows):
            continue
        every = counting.stride(len(rows))
        returns = data.return_bp[rows].astype(np.float32)[:, None]
        inputs.append(summary.section(instrument, data.ts[rows], X[rows], names, every=every))
        target.append(summary.section(instrument, data.ts[rows], returns, ("return_bp",), every=every))
        told = unseen[own[unseen]]
        if (made := _forecasts(evidence, X, told[counting.met(data.ts[told], every)])) is not None:
            forecasts.append(summary.section(instrument, data.ts[made[0]], made[1], FORECASTS, every=every))
        if (owed := _attributions(evidence, X, told, inputs[-1])) is not None:
            attributions.append(owed)
    return Reference(tuple(inputs), tuple(target), tuple(forecasts), tuple(attributions))


def _forecasts(
    evidence: Evidence, X: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]] | None:
    """Those of `rows` that can be forecast and their forecasts in the order of FORECASTS; None where there are none."""
    rows = rows[evidence.ready.forecastable(X, evidence.data.run)[rows]]
    if not len(rows):
        return None
    answer = evidence.ready.at(X, rows)
    return rows, np.stack([answer.return_bp, answer.probability_up], axis=1).astype(np.float32)


def _attributions(evidence: Evidence, X: npt.NDArray[np.float32], rows: npt.NDArray[np.intp], inputs: Section) -> Section | None:
    """Shares of the inputs that count most in the newest of `rows`; None for a model of sequences or without such rows."""
    if evidence.ready.manifest.input_rows > 1:
        return None
    rows = rows[evidence.ready.forecastable(X, evidence.data.run)[rows]]
    rows = rows[counting.met(evidence.data.ts[rows], occlusion.EVERY)][-occlusion.KNOWN_ROWS :]
    if len(rows) < occlusion.FEWEST_ROWS:
        return None
    shares = occlusion.shares(evidence.ready, X[rows], occlusion.centres(inputs))
    told = np.nan_to_num(shares).mean(axis=0)
    most = np.sort(np.argsort(-told, kind="stable")[: occlusion.MOST_INPUTS])
    most = most[told[most] > 0]
    names = [inputs.names[k] for k in most]
    return summary.section(inputs.instrument, evidence.data.ts[rows], shares[:, most], names, every=occlusion.EVERY)
