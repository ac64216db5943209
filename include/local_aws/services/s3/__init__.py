"""S3: moto's answers, contents in files, an index that survives the process; or an S3 elsewhere."""
