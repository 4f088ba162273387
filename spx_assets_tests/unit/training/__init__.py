"""Training: splits, weights, statistics, calibration, gate."""
