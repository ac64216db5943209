"""Airflow's UI in a real browser, and pictures of the dashboard in it."""
