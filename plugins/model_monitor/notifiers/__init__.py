"""Notifiers for callbacks of Airflow."""
