"""Slow proofs of `spx_assets.sources`."""
