"""Processing jobs: taken in, run in subprocesses, with files from and to S3."""
