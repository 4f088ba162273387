"""Trainings asked for over HTTP and started by Dagster.

Belongs here: POST /retrain, the questions to Dagster's webserver. Does not: training, Dagster's libraries.
"""
