"""IAM, CloudWatch, Logs, EventBridge and SNS that survive the process: what they were told, said again at the start."""
