"""Monitoring: from schedules to executions and their jobs."""
