"""The states of an endpoint's document: what deployments make of it.

`Deployment` is what is served, `Pending` what is about to be; both are copies of all that serving needs.
"""

from __future__ import annotations

from typing import Any

from local_aws.store import Document

MOST_CAPTURE_FOLDERS = 20


def gets_traffic(document: Document, deployment: dict[str, Any]) -> None:
    """A deployment is about to answer requests; where it captures them is remembered beyond its own time."""
    folders = [*_capture_folders(document, deployment), *capture_folders(document)]
    document["CaptureFolders"] = list(dict.fromkeys(folders))[:MOST_CAPTURE_FOLDERS]


def capture_folders(document: Document) -> list[str]:
    """Where the endpoint's captures lie, one folder per variant: those of what is served, then of what was before."""
    served = _capture_folders(document, document.get("Deployment", {}))
    return list(dict.fromkeys([*served, *document.get("CaptureFolders", ())]))


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


def _capture_folders(document: Document, deployment: dict[str, Any]) -> list[str]:
    if "DataCaptureConfig" not in deployment:
        return []
    destination = deployment["DataCaptureConfig"]["DestinationS3Uri"].rstrip("/")
    return [f"{destination}/{document['EndpointName']}/{variant['VariantName']}" for variant in deployment["Variants"]]
