"""An AWS on this machine: SageMaker's hosting, processing and monitoring with real work behind them, the rest from moto."""
