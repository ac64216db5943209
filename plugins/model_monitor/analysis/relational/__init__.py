"""Windows of any size: captures joined with ground truth and counted by one relational expression, on any engine."""
