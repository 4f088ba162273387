"""What is known of drift and alerts: read from the lake, and raised by hand.

Belongs here: the routes below /monitoring and their rows. Does not: measuring drift, delivering alerts.
"""
