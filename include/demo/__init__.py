"""The example: a data set, a model trained on it, and the driver that shows both monitors judging that model."""
