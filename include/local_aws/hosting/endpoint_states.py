"""The states of an endpoint's document: what deployments make of it.

`Deployment` is what is served, `Pending` what is about to be; both are copies of all that serving needs.
"""

from __future__ import annotations

from typing import Any

from local_aws.store import Document

MOST_CAPTURE_FOLDERS = 20


def gets_traffic(document: Document, deployment: dict[str, Any]) -> None:
    """A deployment is about to answer requests; where it captures them is remembered beyond its own time."""
    folders = [*_folders(document, deployment), *capture_folders(document), *document.get("CaptureFolders", ())]
    document["CaptureFolders"] = list(dict.fromkeys(folders))[:MOST_CAPTURE_FOLDERS]


def capture_folders(document: Document) -> list[str]:
    """Where the captures of what is served lie, one folder per variant."""
    return _folders(document, document.get("Deployment", {}))


def earlier_capture_folders(document: Document) -> list[str]:
    """Where further captures lie, of what was served before, the latest first."""
    served = capture_folders(document)
    return [folder for folder in document.get("CaptureFolders", ()) if folder not in served]


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


def _folders(document: Document, deployment: dict[str, Any]) -> list[str]:
    if "DataCaptureConfig" not in deployment:
        return []
    destination = deployment["DataCaptureConfig"]["DestinationS3Uri"].rstrip("/")
    return [f"{destination}/{document['EndpointName']}/{variant['VariantName']}" for variant in deployment["Variants"]]
