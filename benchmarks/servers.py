"""local_aws against moto's own server: S3, the control plane, invocations, and memory.

Moto keeps all in memory, writes nothing and answers invocations with made-up text. local_aws writes each object to the
disk before it answers, and has a real model answer each invocation, which it captures. Moto's server closes each
connection, so its figures contain the opening of the next, as they do for every client of it. On a busy machine the
CPU times say more than the others.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.http_load import CLIENTS, Connection, Load, load, request
from benchmarks.server_processes import BUCKET, ENDPOINT, Running, local_aws, moto_server
from benchmarks.timing import Comparison, best

OBJECTS, LARGE, REQUESTS = 2_000, 200 * 1000**2, 3_000
INVOCATIONS, PEERS_INVOCATIONS = 100_000, 20_000
TURNS = 10
PEER = "moto server"
SMALL = b"0.1,0.2,0.3,0.4\n" * 64


def comparisons() -> Iterator[Comparison]:
    """Each measured on both servers in turns."""
    with tempfile.TemporaryDirectory() as folder, local_aws(Path(folder)) as ours, moto_server() as moto:
        yield _megabytes("memory with one endpoint, before", ours, moto)
        yield from _small_objects(ours, moto)
        yield from _large_object(ours, moto)
        yield _megabytes("memory after these objects", ours, moto)
        for what, make in (("PutObject, 1 kB", put), ("DescribeEndpoint", describe), ("InvokeEndpoint", invoke)):
            yield from _latencies(what, *_both(ours, moto, make, REQUESTS))
        yield _megabytes("memory before many invocations", ours, moto)
        own, peers = _load(ours, invoke, INVOCATIONS), _load(moto, invoke, PEERS_INVOCATIONS)
        counts = f"{INVOCATIONS:,} invocations (peer: {PEERS_INVOCATIONS:,})"
        yield Comparison(f"{counts}, rate", own.per_second, PEER, peers.per_second, "/s")
        yield _megabytes("memory after them", ours, moto)


def put(number: int) -> bytes:
    """PutObject of 1 kB."""
    return request("s3", "PUT", f"/{BUCKET}/put/{number}", SMALL)


def describe(number: int) -> bytes:
    """DescribeEndpoint."""
    target = {"X-Amz-Target": "SageMaker.DescribeEndpoint", "Content-Type": "application/x-amz-json-1.1"}
    return request("sagemaker", "POST", "/", f'{{"EndpointName": "{ENDPOINT}"}}'.encode(), target)


def invoke(number: int) -> bytes:
    """InvokeEndpoint with one row."""
    body = f"0.{number % 10},0,0,0".encode()
    return request("sagemaker", "POST", f"/endpoints/{ENDPOINT}/invocations", body, {"Content-Type": "text/csv"})


def _small_objects(ours: Running, moto: Running) -> Iterator[Comparison]:
    def each(method: str, body: bytes = b"") -> Callable[[int], bytes]:
        return lambda number: request("s3", method, f"/{BUCKET}/small/{number:04}", body)

    def listed(server: Running) -> None:
        pages = server.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="small/")
        assert sum(page["KeyCount"] for page in pages) == OBJECTS

    for what, make in (("PUT", each("PUT", SMALL)), ("GET", each("GET"))):
        own, peers = _both(ours, moto, make, OBJECTS, clients=1)
        yield Comparison(f"{what} of {OBJECTS:,} objects of 1 kB, one client", own.seconds, PEER, peers.seconds)
        yield Comparison(f"{what}, CPU time of the server", own.cpu_each, PEER, peers.cpu_each)
    seconds = [best(lambda server=server: listed(server)) for server in (ours, moto)]  # type: ignore[misc]
    yield Comparison(f"LIST of {OBJECTS:,} objects", seconds[0], PEER, seconds[1])


def _large_object(ours: Running, moto: Running) -> Iterator[Comparison]:
    for what, sent in (
        ("PUT", request("s3", "PUT", f"/{BUCKET}/large", bytes(LARGE))),
        ("GET", request("s3", "GET", f"/{BUCKET}/large")),
    ):
        seconds = [_timed(server, sent) for server in (ours, moto)]
        yield Comparison(f"{what} of an object of 200 MB", seconds[0], PEER, seconds[1])


def _timed(server: Running, sent: bytes) -> float:
    connection = Connection(server.url)
    started = time.perf_counter()
    connection.ask(sent)
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _both(
    ours: Running, moto: Running, make: Callable[[int], bytes], count: int, clients: int = CLIENTS
) -> tuple[Load, Load]:
    """The same load on both, in turns, so that both meet the same weather on this machine."""
    own, peers = Load([], 0), Load([], 0)
    share = count // TURNS
    for turn in range(TURNS):
        part = lambda number, first=turn * share: make(first + number)  # type: ignore[misc] # noqa: E731
        own += _load(ours, part, share, clients)
        peers += _load(moto, part, share, clients)
    return own, peers


def _load(server: Running, make: Callable[[int], bytes], count: int, clients: int = CLIENTS) -> Load:
    before = server.cpu_seconds
    return replace(load(server.url, make, count, clients), cpu_seconds=server.cpu_seconds - before)


def _latencies(what: str, ours: Load, moto: Load) -> Iterator[Comparison]:
    yield Comparison(f"{what}, 8 clients, p50", ours.p50, PEER, moto.p50)
    yield Comparison(f"{what}, 8 clients, p95", ours.p95, PEER, moto.p95)
    yield Comparison(f"{what}, CPU time of the server", ours.cpu_each, PEER, moto.cpu_each)
    yield Comparison(f"{what}, 8 clients, rate", ours.per_second, PEER, moto.per_second, "/s")


def _megabytes(what: str, ours: Running, moto: Running) -> Comparison:
    return Comparison(what, ours.resident_mb, PEER, moto.resident_mb, "MB")
