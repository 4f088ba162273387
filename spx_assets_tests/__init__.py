"""Tests of both packages, by kind: unit, integration (real processes and files), long (slow proofs), benchmarks (budgets)."""
