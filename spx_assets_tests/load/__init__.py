"""Load on a running service: many clients at once, from a process of their own."""
