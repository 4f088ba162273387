"""Alerts: raised as rows, delivered later, never at the cost of what raised them.

Belongs here: what an alert says, keeping it, telling people of it. Does not: deciding that something drifted or degraded, when
deliveries run (`automation.alerts`).
"""
