"""The declarations of all features, one module a family.

Belongs here: names, inputs, warm-up, units, bounds and one line of meaning. Does not: arithmetic (`kernels`).
"""
