"""What monitors have found over time: read from S3 and from the service once, and kept."""
