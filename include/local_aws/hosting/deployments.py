"""Endpoints that are served: from a deployment (what an endpoint document says) to running model servers, and back."""

from __future__ import annotations

import logging
import random
import shutil
import threading
import uuid
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_aws.errors import could_not_find
from local_aws.hosting import model_servers
from local_aws.hosting.model_servers import ModelServer, ModelServerFailed, Sink
from local_aws.log_stream import LogStream
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class Variant:
    """A production variant and the server of its model."""

    name: str
    weight: float
    container: dict[str, Any]
    server: ModelServer


@dataclass(frozen=True)
class Serving:
    """What answers an endpoint's requests."""

    variants: dict[str, Variant]
    data_capture: dict[str, Any] | None

    def choose(self) -> Variant:
        """A variant by chance, in the proportion of the weights."""
        variants = list(self.variants.values())
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights if any(weights) else None)[0]

    def stop(self) -> None:
        """Stop every variant's server."""
        for variant in self.variants.values():
            variant.server.stop()


class ServerLog:
    """Sends a model server's output to this server's own log."""

    def __init__(self, name: str) -> None:
        self._name = name

    def line(self, text: str) -> None:
        """Log one line."""
        log.info("%s: %s", self._name, text.rstrip())

    def close(self) -> None:
        """Nothing is left to write."""


class Hosting:
    """Starts and stops what serves endpoints; the documents in the store say what should be served."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._folder = aws.data_dir / "containers"
        self._serving: dict[str, Serving] = {}
        self._reviving: weakref.WeakSet[ModelServer] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._stopped = False

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
        with self._lock:
            return self._serving.get(scoped(region, endpoint))

    def deploy(self, region: str, endpoint: str, deployment: dict[str, Any]) -> None:
        """Bring up a deployment in the background, then set the endpoint InService with it, or Failed with the reason.

        An endpoint that is served already goes on with what it has until then, and keeps it when the new one fails.
        """
        work = self._aws.work.begin(f"deployment of endpoint {region}/{endpoint}")

        def bring_up() -> None:
            try:
                self._deploy(region, endpoint, deployment)
            finally:
                self._aws.work.end(work)

        threading.Thread(target=bring_up, name=f"deploy-{endpoint}", daemon=True).start()

    def undeploy(self, region: str, endpoint: str, after: Callable[[], None]) -> None:
        """Stop what serves an endpoint in the background, then do the rest."""

        work = self._aws.work.begin(f"end of endpoint {region}/{endpoint}")

        def take_down() -> None:
            try:
                with self._lock:
                    serving = self._serving.pop(scoped(region, endpoint), None)
                if serving:
                    serving.stop()
                after()
            finally:
                self._aws.work.end(work)

        threading.Thread(target=take_down, name=f"undeploy-{endpoint}", daemon=True).start()

    def revive(self, region: str, endpoint: str, variant: Variant) -> None:
        """Start a variant's server again in the background when its process has ended by itself."""
        key = scoped(region, endpoint)
        document = self._aws.store.get("endpoint", key)
        if document is None or document["EndpointStatus"] != "InService" or variant.server.process.poll() is None:
            return
        with self._lock:
            serving = self._serving.get(key)
            current = serving is not None and serving.variants.get(variant.name) is variant
            if not current or variant.server in self._reviving:
                return
            self._reviving.add(variant.server)
        log.error("The model server of %s/%s ended; starting it again.", endpoint, variant.name)
        self.deploy(region, endpoint, document["Deployment"])

    def resume(self) -> None:
        """Serve again what an earlier run served; returns when every endpoint is settled."""
        shutil.rmtree(self._folder, ignore_errors=True)
        workers = []
        for document in self._aws.store.list("endpoint"):
            region, name = document["EndpointArn"].split(":")[3], document["EndpointName"]
            if document["EndpointStatus"] == "Deleting":
                self._aws.store.delete("endpoint", scoped(region, name))
            elif document["EndpointStatus"] != "Failed":
                deployment = document.get("Pending") or document["Deployment"]
                workers.append(threading.Thread(target=self._deploy, args=(region, name, deployment), daemon=True))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def stop(self) -> None:
        """Stop every model server of every endpoint."""
        with self._lock:
            self._stopped = True
            all_serving, self._serving = list(self._serving.values()), {}
        servers = [variant.server for serving in all_serving for variant in serving.variants.values()]
        with ThreadPoolExecutor(max_workers=len(servers) or 1) as workers:
            list(workers.map(ModelServer.stop, servers))

    def _deploy(self, region: str, endpoint: str, deployment: dict[str, Any]) -> None:
        key = scoped(region, endpoint)
        try:
            serving = self._bring_up(region, endpoint, deployment)
        except Exception as error:
            if isinstance(error, ModelServerFailed):
                reason = str(error)
            else:
                log.exception("Deploying %s failed.", endpoint)
                reason = "Request to service failed. If failure persists after retry, contact customer support."
            self._settle(key, lambda document: self._failed(document, key, reason))
            return
        replaced: Serving | None = serving

        def adopt(document: Document) -> None:
            nonlocal replaced
            wanted = document.get("Pending") or document.get("Deployment")
            if wanted != deployment or document["EndpointStatus"] == "Deleting":
                return
            with self._lock:
                if self._stopped:
                    return
                replaced = self._serving.get(key)
                self._serving[key] = serving
            _in_service(document, deployment)

        self._settle(key, adopt)
        if replaced:
            replaced.stop()

    def _bring_up(self, region: str, endpoint: str, deployment: dict[str, Any]) -> Serving:
        variants: dict[str, Variant] = {}
        try:
            for wanted in deployment["Variants"]:
                name = wanted["VariantName"]
                stream = f"{name}/i-{uuid.uuid4().hex[:17]}"
                sink = LogStream(self._aws.logs(region), stream, self._aws.clock, f"{LOG_GROUP}/{endpoint}")
                server = self._start(wanted["Container"], region, name, sink)
                variants[name] = Variant(name, wanted.get("InitialVariantWeight", 1.0), wanted["Container"], server)
        except Exception:
            for variant in variants.values():
                variant.server.stop()
            raise
        return Serving(variants, deployment.get("DataCaptureConfig"))

    def _start(self, container: dict[str, Any], region: str, variant: str, sink: Sink) -> ModelServer:
        return model_servers.start(container, self._folder / uuid.uuid4().hex, self._aws.s3(region), variant, sink)

    def _settle(self, key: str, change: Callable[[Document], None]) -> None:
        def stamped(document: Document) -> None:
            before = document["EndpointStatus"]
            change(document)
            if document["EndpointStatus"] != before:
                document["LastModifiedTime"] = self._aws.clock.timestamp()

        self._aws.store.update("endpoint", key, stamped)

    def _failed(self, document: Document, key: str, reason: str) -> None:
        with self._lock:
            still_served = key in self._serving
        document["EndpointStatus"] = "InService" if still_served else "Failed"
        document["FailureReason"] = reason
        document.pop("Pending", None)


def _in_service(document: Document, deployment: dict[str, Any]) -> None:
    document["EndpointStatus"] = "InService"
    document["EndpointConfigName"] = deployment["EndpointConfigName"]
    document["Deployment"] = deployment
    document.pop("Pending", None)
    document.pop("FailureReason", None)
