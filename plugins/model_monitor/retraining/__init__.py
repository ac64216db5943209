"""Acting on violations: whether to retrain, with what, and what a human is asked before a model is replaced."""
