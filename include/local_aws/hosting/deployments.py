"""Endpoints that are served: from a deployment (what an endpoint document says) to running model servers, and back."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from local_aws.control.tags import drop_tags
from local_aws.errors import could_not_find
from local_aws.hosting import guardrails, model_servers
from local_aws.hosting.endpoint_states import back_in_service, failed, gets_traffic, in_service, out_of_service
from local_aws.hosting.model_servers import ModelServer, ModelServerFailed, Sink
from local_aws.hosting.revival import Pauses, Revival
from local_aws.hosting.serving import Closed, Serving, ServingTable, Variant
from local_aws.log_stream import LogStream, ServerLog
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/Endpoints"
PATIENCE_SECONDS = 65.0
"""How long servers that are replaced may take for the requests that they have; a model gets 60 seconds for one."""
LAST_PATIENCE_SECONDS = 5.0
INTERNAL_FAILURE = "Request to service failed. If failure persists after retry, contact customer support."


class Hosting:
    """Starts and stops what serves endpoints; the documents in the store say what should be served."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._folder = aws.data_dir / "containers"
        self._table = ServingTable()
        self._revival = Revival(self._table, self._start_again)
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()

    def start_model_server(
        self, model_name: str, region: str = "us-east-1", variant: str = "AllTraffic"
    ) -> ModelServer:
        """Serve a model outside any endpoint and without data capture; the caller stops it.

        Raises:
            AwsError: there is no such model.
            ModelServerFailed: the model cannot be served.
        """
        container = self.container_of(model_name, region)
        return self._start(container, region, variant, ServerLog(model_name))

    def container_of(self, model_name: str, region: str) -> dict[str, Any]:
        """The container definition of a model.

        Raises:
            AwsError: there is no such model.
        """
        model = self._aws.store.get("model", scoped(region, model_name))
        if model is None:
            raise could_not_find("model", self._aws.arn(region, f"model/{model_name}"))
        container: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
        return container

    def serving(self, region: str, endpoint: str) -> Serving | None:
        """What answers an endpoint's requests, or None when nothing does."""
        return self._table.get(scoped(region, endpoint))

    def request(self, region: str, endpoint: str) -> AbstractContextManager[Serving | None]:
        """What answers one request to an endpoint; as long as the context lasts, its servers are not stopped."""
        return self._table.request(scoped(region, endpoint))

    def deploy(self, region: str, endpoint: str, deployment: dict[str, Any]) -> None:
        """Bring up a deployment in the background, then set the endpoint InService with it, or Failed with the reason.

        An endpoint that is served already goes on with what it has until then, and keeps it when the new one fails.
        """
        self._in_background(f"deployment of endpoint {region}/{endpoint}", self._deploy, region, endpoint, deployment)

    def weigh(self, region: str, endpoint: str, deployment: dict[str, Any]) -> None:
        """Share an endpoint's traffic as a deployment's variants say, in the background; its servers stay."""

        def work() -> None:
            key = scoped(region, endpoint)
            serving = self._table.get(key)
            if serving is not None:
                serving.weigh(deployment["Variants"])
            self._settle(key, lambda document: in_service(document, deployment))

        self._in_background(f"weights of endpoint {region}/{endpoint}", work)

    def undeploy(self, region: str, endpoint: str, after: Callable[[], None]) -> None:
        """Stop what serves an endpoint in the background, then do the rest."""

        def work() -> None:
            serving = self._table.remove(scoped(region, endpoint))
            if serving:
                serving.retire(PATIENCE_SECONDS)
            after()

        self._in_background(f"end of endpoint {region}/{endpoint}", work)

    def resume(self) -> None:
        """Serve again what an earlier run served; returns when every endpoint is settled or was tried once."""
        shutil.rmtree(self._folder, ignore_errors=True)
        workers = []
        for document in self._aws.store.list("endpoint"):
            region, name = document["EndpointArn"].split(":")[3], document["EndpointName"]
            if document["EndpointStatus"] == "Deleting":
                self._aws.store.delete("endpoint", scoped(region, name))
                drop_tags(self._aws, document["EndpointArn"])
            elif document["EndpointStatus"] != "Failed":
                workers.append(threading.Thread(target=self._resume, args=(region, name, document), daemon=True))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self._revival.start()

    def stop(self) -> None:
        """Stop every model server of every endpoint."""
        self._stopping.set()
        self._revival.stop()
        left = self._table.close()
        with ThreadPoolExecutor(max_workers=len(left) or 1) as workers:
            list(workers.map(lambda serving: serving.retire(LAST_PATIENCE_SECONDS), left))
        deadline = time.monotonic() + LAST_PATIENCE_SECONDS
        for thread in list(self._threads):
            thread.join(max(deadline - time.monotonic(), 0))

    def _resume(self, region: str, endpoint: str, document: Document) -> None:
        served = document.get("Deployment")
        if served is not None and not self._serve_again(region, endpoint, served):
            self._begin(f"resume-{endpoint}", lambda: self._keep_trying(region, endpoint, served))
        if pending := document.get("Pending"):
            self._deploy(region, endpoint, pending)

    def _keep_trying(self, region: str, endpoint: str, deployment: dict[str, Any]) -> None:
        pauses = Pauses()
        pauses.next()
        while not self._stopping.wait(pauses.next()):
            document = self._aws.store.get("endpoint", scoped(region, endpoint))
            if document is None or document.get("Deployment") != deployment:
                return
            if document["EndpointStatus"] == "OutOfService" and self._serve_again(region, endpoint, deployment):
                return

    def _serve_again(self, region: str, endpoint: str, deployment: dict[str, Any]) -> bool:
        """Serve what an earlier run served; when that fails, the endpoint is out of service, and it may be retried."""
        key = scoped(region, endpoint)
        try:
            serving = self._bring_up(region, endpoint, deployment)
        except Exception as error:
            if self._stopping.is_set():
                return False
            reason = _reason(endpoint, error)
            self._settle(key, lambda document: out_of_service(document, reason))
            return False
        with contextlib.suppress(_Unwanted):
            self._shift(key, deployment, serving, only_if_unserved=True)
            self._settle(key, back_in_service)
        return True

    def _deploy(self, region: str, endpoint: str, deployment: dict[str, Any]) -> None:
        key = scoped(region, endpoint)
        config = deployment.get("DeploymentConfig", {})
        try:
            serving = self._bring_up(region, endpoint, deployment)
        except Exception as error:
            # What fails because this server stops is taken up again by the next one.
            if not self._stopping.is_set():
                reason = _reason(endpoint, error)
                self._settle(key, lambda document: failed(document, reason, self._table.get(key) is not None))
            return
        try:
            before = self._shift(key, deployment, serving)
        except _Unwanted:
            return
        if before is None:
            self._settle(key, lambda document: in_service(document, deployment))
        elif guardrails.are_in(config):
            # It lasts as long as the clock takes, so whoever moves the clock does not wait for it.
            self._begin(f"watch-{endpoint}", lambda: self._finish_watched(region, key, deployment, serving, before))
        else:
            self._finish(key, deployment, before)

    def _finish(self, key: str, deployment: dict[str, Any], before: Serving) -> None:
        before.retire(PATIENCE_SECONDS)
        self._settle(key, lambda document: in_service(document, deployment))

    def _finish_watched(
        self, region: str, key: str, deployment: dict[str, Any], serving: Serving, before: Serving
    ) -> None:
        try:
            raised = guardrails.watch(self._aws, region, deployment["DeploymentConfig"], self._stopping)
            if not raised:
                self._finish(key, deployment, before)
                return
            self._table.replace(key, before)
        except Closed:
            before.retire(LAST_PATIENCE_SECONDS)
            return
        serving.retire(PATIENCE_SECONDS)
        reason = f"The deployment was rolled back, for these alarms are in the state ALARM: {', '.join(raised)}."
        self._settle(key, lambda document: failed(document, reason, self._table.get(key) is not None))

    def _shift(
        self, key: str, deployment: dict[str, Any], serving: Serving, only_if_unserved: bool = False
    ) -> Serving | None:
        """Send an endpoint's requests to a deployment that is up; returns what answered them before.

        Raises:
            _Unwanted: the endpoint wants this deployment no more; its servers are stopped.
        """
        before: Serving | None = None
        shifted = False

        def adopt(document: Document) -> None:
            nonlocal before, shifted
            wanted = deployment in (document.get("Pending"), document.get("Deployment"))
            taken = only_if_unserved and self._table.get(key) is not None
            if wanted and not taken and document["EndpointStatus"] != "Deleting":
                with contextlib.suppress(Closed):
                    before = self._table.replace(key, serving)
                    gets_traffic(document, deployment)
                    shifted = True

        self._aws.store.update("endpoint", key, adopt)
        if not shifted:
            serving.retire(0)
            raise _Unwanted
        return before

    def _bring_up(self, region: str, endpoint: str, deployment: dict[str, Any]) -> Serving:
        variants: dict[str, Variant] = {}
        try:
            for settings in deployment["Variants"]:
                name = settings["VariantName"]
                variants[name] = Variant(settings, self._start_variant(region, endpoint, name, settings["Container"]))
        except Exception:
            for variant in variants.values():
                variant.server.stop()
            raise
        return Serving(variants, deployment.get("DataCaptureConfig"))

    def _start_again(self, key: str, variant: Variant) -> ModelServer:
        region, _, endpoint = key.partition("/")
        return self._start_variant(region, endpoint, variant.name, variant.container)

    def _start_variant(self, region: str, endpoint: str, variant: str, container: dict[str, Any]) -> ModelServer:
        stream = f"{variant}/i-{uuid.uuid4().hex[:17]}"
        sink = LogStream(self._aws.logs(region), stream, self._aws.clock, f"{LOG_GROUP}/{endpoint}")
        return self._start(container, region, variant, sink)

    def _start(self, container: dict[str, Any], region: str, variant: str, sink: Sink) -> ModelServer:
        return model_servers.start(container, self._folder / uuid.uuid4().hex, self._aws.s3(region), variant, sink)

    def _settle(self, key: str, change: Callable[[Document], None]) -> None:
        def stamped(document: Document) -> None:
            before = document["EndpointStatus"]
            change(document)
            if document["EndpointStatus"] != before:
                document["LastModifiedTime"] = self._aws.clock.timestamp()

        self._aws.store.update_at_last("endpoint", key, stamped, self._stopping)

    def _in_background(self, what: str, work: Callable[..., None], *arguments: Any) -> None:
        number = self._aws.work.begin(what)

        def tracked() -> None:
            try:
                work(*arguments)
            finally:
                self._aws.work.end(number)

        self._begin(what, tracked)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        def known() -> None:
            try:
                work()
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=known, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()


class _Unwanted(Exception):
    """An endpoint was changed or deleted while a deployment came up."""


def _reason(endpoint: str, error: Exception) -> str:
    if isinstance(error, ModelServerFailed):
        return str(error)
    log.error("Deploying %s failed.", endpoint, exc_info=error)
    return INTERNAL_FAILURE
