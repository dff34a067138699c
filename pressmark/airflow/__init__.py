"""Airflow integration: operators, task functions, the supervisor and the operator pages.

No other package imports Airflow.
"""
