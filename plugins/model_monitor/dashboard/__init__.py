"""The dashboard inside Airflow's UI."""
