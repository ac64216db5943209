"""Live models watched for bias drift and feature attribution drift, with Airflow and a Clarify-compatible engine."""
