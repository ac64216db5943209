"""CloudWatch's alarms, which change state on the metrics that are published, and tell of it."""
