"""The arithmetic of features: functions from `Bars` to arrays of the same length by feature name.

Belongs here: causal kernels of TA-Lib and numpy; element i depends on rows up to i only. Does not: loops over rows, pandas,
centred windows, statistics of the whole sample, fills from later rows, input or output.
"""
