"""Proofs of `spx_assets.sources` on a real lake and over real sockets."""
