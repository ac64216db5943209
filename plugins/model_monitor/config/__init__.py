"""What to monitor: one YAML file per endpoint, validated once, here. A module for each of its sections."""

from model_monitor.config.endpoint import MonitoredEndpoint
from model_monitor.config.loading import Endpoints, endpoints_folder, load_endpoint, load_endpoints

__all__ = ["Endpoints", "MonitoredEndpoint", "endpoints_folder", "load_endpoint", "load_endpoints"]
