"""The states of an endpoint's document: what deployments make of it.

`Deployment` is what is served, `Pending` what is about to be; both are copies of all that serving needs.
"""

from __future__ import annotations

from typing import Any

from local_aws.store import Document


def in_service(document: Document, deployment: dict[str, Any]) -> None:
    """The pending deployment is served."""
    if document.get("Pending") == deployment:
        document["EndpointStatus"] = "InService"
        document["EndpointConfigName"] = deployment["EndpointConfigName"]
        document["Deployment"] = deployment
        document.pop("Pending", None)
        document.pop("FailureReason", None)


def failed(document: Document, reason: str, still_served: bool) -> None:
    """The pending deployment is not to be; what was served before, if anything was, goes on."""
    document.pop("Pending", None)
    document["FailureReason"] = reason
    if "Deployment" not in document:
        document["EndpointStatus"] = "Failed"
    else:
        document["EndpointStatus"] = "InService" if still_served else "OutOfService"


def out_of_service(document: Document, reason: str) -> None:
    """What should be served is not, for now."""
    if document["EndpointStatus"] in ("InService", "OutOfService"):
        document["EndpointStatus"] = "OutOfService"
        document["FailureReason"] = reason


def back_in_service(document: Document) -> None:
    """What should be served is again."""
    if document["EndpointStatus"] == "OutOfService":
        document["EndpointStatus"] = "InService"
        document.pop("FailureReason", None)
