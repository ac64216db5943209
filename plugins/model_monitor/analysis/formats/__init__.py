"""Tabular data as CSV, JSON Lines, JSON and Parquet: read into rows, written into requests, found in answers."""
