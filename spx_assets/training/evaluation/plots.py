"""Pictures of a report: ROC curve, reliability, importance, residuals over time, as small PNG files.

Belongs here: drawing. Does not: any number that the report does not hold. matplotlib is used through its figures alone, without
pyplot, which keeps figures and a backend for the whole process.

The same report gives the same bytes with the same matplotlib: no time or version is written into the file. The files are part
of the artifact, so its digest covers them.
"""

from collections.abc import Callable
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, MaxNLocator
from PIL import Image

from spx_assets.training.evaluation.report import Report

SIZE, DPI = (4.8, 3.6), 100
COLOURS = 32
"""Of the file's palette: a quarter of the bytes of full colour. Dagster keeps the pictures in its event log."""
TOP, TICKS = 20, 5
LINE = 60
"""Letters of 8 points that fit above the axes; a longer title is set smaller."""
MODEL, BASE, BAND = "#1f5fa8", "#8a8a8a", "#c7d9ee"


def files(report: Report) -> dict[str, bytes]:
    """File name to PNG."""
    drawn = {"roc": _roc, "calibration": _calibration, "importance": _importance, "residuals": _residuals}
    return {f"{name}.png": _png(report, draw) for name, draw in drawn.items()}


def _png(report: Report, draw: Callable[[Axes, Report], str]) -> bytes:
    figure = Figure(figsize=SIZE, dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    # Set by hand, the title's height too: what measures its texts takes three times as long to draw. So do many ticks.
    left = 0.28 if draw is _importance else 0.12
    axes = figure.add_axes((left, 0.13, 0.97 - left, 0.79))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    title = f"{report.name} {report.family}: {draw(axes, report)}"
    for axis in (axes.xaxis, axes.yaxis):
        if isinstance(axis.get_major_locator(), AutoLocator):
            axis.set_major_locator(MaxNLocator(TICKS))
    axes.set_title(title, fontsize=min(8.0, 8.0 * LINE / len(title)), loc="left", y=1.0)
    drawn, written = BytesIO(), BytesIO()
    canvas.print_rgba(drawn)  # type: ignore[no-untyped-call]
    picture = Image.frombytes("RGBA", canvas.get_width_height(), drawn.getvalue()).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(written, format="png", optimize=True)
    return written.getvalue()


def _roc(axes: Axes, report: Report) -> str:
    axes.plot([0, 1], [0, 1], color=BASE, linewidth=1, label="base rate")
    axes.plot([x for x, _ in report.roc], [y for _, y in report.roc], color=MODEL, linewidth=1.5, label="model")
    _name(axes, "false positive rate", "true positive rate")
    axes.legend(fontsize=7, frameon=False, loc="lower right")
    return "ROC, out of time"


def _calibration(axes: Axes, report: Report) -> str:
    x, y = [part.probability for part in report.calibration], [part.share for part in report.calibration]
    low = [part.share if part.low is None else part.low for part in report.calibration]
    high = [part.share if part.high is None else part.high for part in report.calibration]
    ends = [min([*x, *low]), max([*x, *high])]
    axes.plot(ends, ends, color=BASE, linewidth=1)
    axes.vlines(x, low, high, color=BAND, linewidth=4)
    axes.plot(x, y, "o-", color=MODEL, markersize=3, linewidth=1)
    _name(axes, "probability of up", "share of up, 95 % interval")
    return f"calibration, ECE {_told(report.ece)}, by chance below {_told(report.ece_band)}"


def _importance(axes: Axes, report: Report) -> str:
    first = [one for one in report.importance[:TOP] if one.permutation][::-1]
    axes.barh([one.feature for one in first], [one.permutation for one in first], color=MODEL)
    axes.tick_params(axis="y", labelsize=6)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
    axes.xaxis.get_offset_text().set_fontsize(7)
    _name(axes, "rise of the log loss when permuted", "")
    return f"importance, first {len(first)}"


def _residuals(axes: Axes, report: Report) -> str:
    number = range(len(report.residuals))
    axes.bar(number, [day.residual_bp for day in report.residuals], color=BAND, label="mean residual")
    axes.plot(number, [day.rmse_zero_bp for day in report.residuals], color=BASE, linewidth=1, label="RMSE of zero")
    axes.plot(number, [day.rmse_bp for day in report.residuals], color=MODEL, linewidth=1, label="RMSE")
    axes.axhline(0, color=BASE, linewidth=0.5)
    shown = list(number)[:: max(1, len(report.residuals) // 5)]
    axes.set_xticks(shown, [report.residuals[k].day.isoformat() for k in shown])
    _name(axes, "", "basis points")
    axes.legend(fontsize=7, frameon=False)
    return "residuals by trading day"


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=7)
    axes.set_ylabel(y, fontsize=7)


def _told(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
