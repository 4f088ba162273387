"""Training: from a lake snapshot to a judged, exported forecaster.

Belongs here: the training set, splits, model families, baselines, evaluation, calibration, export, the gate and promotion.
Does not: Dagster, MLflow, inference (`scoring` makes every forecast that is evaluated here), feature and label arithmetic.
"""
