"""An AWS on this machine: SageMaker's hosting, processing and monitoring do real work, the rest is moto."""
