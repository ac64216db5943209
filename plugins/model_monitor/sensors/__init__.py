"""Waiting for what others do: captures and monitoring executions."""
