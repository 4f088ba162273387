"""Training: families, promotion through a lake, and the whole way from candles to a verdict."""
