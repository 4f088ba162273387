"""Training: how often the gate is right over many simulated markets."""
