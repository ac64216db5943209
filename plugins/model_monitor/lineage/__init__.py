"""What each task reads and writes, told to OpenLineage where Airflow has its provider."""
