"""What Dagster loads: the platform built from the settings of its home."""

from spx_assets.build import build_defs

defs = build_defs()
