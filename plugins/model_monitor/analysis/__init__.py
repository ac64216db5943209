"""The engine: reads an analysis configuration and data from files, writes the result files that Clarify writes.

Knows numpy, pandas and files; never imports Airflow or boto3.
"""
