"""What a version says of the rows it was fitted on."""

import numpy as np
import pytest

from spx_assets.training import provenance
from spx_assets_tests.unit.training import planted


def test_the_medians_are_those_of_the_fit_rows_that_know_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted.data()
    rows = planted.segments(data).fit
    data.X[rows[-1] + 1 :] = 1e6  # what came later is not looked at
    found = provenance.medians(data, rows)
    expected = [float(np.nanmedian(data.X[rows, k])) for k in range(6)]
    assert [*found[:6]] == expected
    assert found[5:] == (7.0, None)
    monkeypatch.setattr(provenance, "MEDIAN_ROWS", len(rows) // 4)
    sampled = provenance.medians(data, rows)
    assert sampled[4] == pytest.approx(expected[4], abs=2.0)  # of a spread of 20
    assert sampled != found
