"""The bucket: is it writable, and the files that everything else needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_monitor import names, sources
from model_monitor.errors import InputError
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.operators.base import MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class CheckBucketOperator(MonitorOperator):
    """Write a test object, so that a missing permission shows before anything is made.

    SageMaker's default bucket of the account and region (`sagemaker-<region>-<account>`) is created when it is missing,
    as SageMaker's own SDK does; any other bucket has to be there.
    """

    def execute(self, context: Context) -> str:
        bucket = self.endpoint.bucket
        if not self.storage.bucket_exists(bucket):
            default = f"sagemaker-{self.endpoint.region}-{self.storage.account_id}"
            if bucket != default:
                raise InputError(
                    f"There is no bucket '{bucket}'. Create it in {self.endpoint.region}, or set 'bucket' in the YAML "
                    f"of the endpoint '{self.endpoint.name}' to an existing one ('{default}' would be created)."
                )
            self.storage.create_bucket(bucket, self.endpoint.region)
            self.log.info("Created SageMaker's default bucket %s", bucket)
        written = self.storage.put(names.write_test(self.endpoint), "This object shows that the bucket is writable.\n")
        self.log.info("The bucket is writable: %s", written)
        return written


class UploadFilesOperator(Traced, MonitorOperator):
    """Upload the model archive and the validation data set; what is there already, by its content, is left as it is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.uploaded: dict[str, str] = {}

    def flow(self) -> Flow:
        return flows.uploads(self.uploaded)

    def execute(self, context: Context) -> dict[str, str]:
        endpoint = self.endpoint
        files = {
            "archive": (endpoint.model.archive, names.model_archive(endpoint, sources.archive(endpoint))),
            "validation": (endpoint.data.validation, sources.validation_uri(endpoint)),
        }
        for local, uri in files.values():
            sent = self.storage.upload(endpoint.path(local), uri)
            self.uploaded[str(endpoint.path(local).absolute())] = uri
            self.log.info("%s %s -> %s", "Uploaded" if sent else "Already there:", local, uri)
        return {kind: uri for kind, (_, uri) in files.items()}
