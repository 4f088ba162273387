"""`docs/glossary.md`: every feature, from the catalog."""

from spx_assets.features import catalog
from spx_assets.features.feature import Feature
from spx_assets_tests.documents.table import table


def page() -> str:
    parts = [
        "# Features\n\n"
        "Made from the catalog by `make docs`. A feature is a causal function of the bars since an anchor, so each value can be "
        "computed at its bar. *Warm-up* is the number of bars of a history without gaps before the first value. *Range* holds "
        f"for every value by construction. Models take {len(catalog.model_inputs())} of these {len(catalog.FEATURES)} "
        "(column *input*); the others are kept for people.\n"
    ]
    for family, words in catalog.FAMILIES.items():
        rows = [_row(feature) for feature in catalog.family(family)]
        head = ("name", "what it says", "unit", "range", "warm-up", "input", "seeds' name")
        parts.append(f"## {family}\n\n{words}.\n\n{table(head, rows)}")
    return "\n".join(parts)


def _row(feature: Feature) -> tuple[str, ...]:
    low, high = ("" if bound is None else f"{bound:g}" for bound in (feature.low, feature.high))
    bounds = f"{low} to {high}" if low and high else f"from {low}" if low else f"to {high}" if high else ""
    taken = "yes" if feature.model_input else ""
    return (f"`{feature.name}`", feature.description, feature.unit, bounds, str(feature.warmup), taken, feature.seed_name or "")
