"""The dashboard in a real browser; a package, so that its Airflow stops when its last test is over."""
