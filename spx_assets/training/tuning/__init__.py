"""Tuning: which parameters of a family the validation segment, or folds before it, likes best.

Belongs here: search spaces, the objective, trials and where they are kept. Does not: fitting (`families`), calibration or
out-of-time rows, which no trial may see, experiment tracking. optuna is imported by the modules that run trials only.
"""
