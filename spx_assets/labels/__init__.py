"""What a forecast is measured by: forward returns and directions in market time.

Belongs here: the label rule and its batch form over the lake. Does not: splits, weights, metrics.
"""
