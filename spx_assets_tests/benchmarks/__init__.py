"""Budgets, measured: `make bench` runs each in a process of its own and prints one table.

Belongs here: workloads and the numbers they are held against. Does not: proofs of correctness.
"""
