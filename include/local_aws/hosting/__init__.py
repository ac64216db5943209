"""Endpoints that are served: deployments, model servers, invocations, data capture."""
