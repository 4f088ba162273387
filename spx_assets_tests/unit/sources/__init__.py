"""Proofs of `spx_assets.sources` on frames and small files."""
