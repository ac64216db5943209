"""The process: one port, a pool of threads, an orderly end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from local_aws.access.gate import Access
from local_aws.access.keys import Key, UnusableKeys, read_keys
from local_aws.aws import LocalAws
from local_aws.clock import Clock
from local_aws.connections import PatientServer
from local_aws.database_files import UnusableStore
from local_aws.launching.launcher import launcher
from local_aws.memory import return_large_blocks
from local_aws.operations import load_operations
from local_aws.publication import is_loopback, reach, services_line, warning
from local_aws.router import SERVED, Router
from local_aws.services.assumed_roles import AssumedRoles
from local_aws.services.durable.durable_services import DurableServices
from local_aws.services.header_names import NamingGateway
from local_aws.services.moto_services import moto_application
from local_aws.services.s3 import format_1 as s3_of_format_1
from local_aws.services.s3.foreign import ForeignS3, UnusableS3
from local_aws.services.s3.persistence import PersistentS3

log = logging.getLogger(__name__)

THREADS = 32
LONGEST_HEADERS = 64 * 1024
LAST_REQUESTS_SECONDS = 2
"""How long a stop waits for requests that are not answered, or not even sent, by then."""
KEPT_CONNECTIONS = 512
"""So many clients may keep their connection between requests; an idle one takes no thread, and is closed after 10 s."""


class Server:
    """This AWS, listening; `port` 0 takes a free one, `keys` None serves whoever signs with any key."""

    def __init__(
        self,
        host: str,
        port: int,
        data_dir: Path,
        clock: Clock,
        schedule_delay: timedelta = timedelta(0),
        keys: list[Key] | None = None,
        foreign_s3: ForeignS3 | None = None,
    ) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        load_operations()
        self._wsgi = PatientServer((host, port), wsgi_app=None, numthreads=THREADS, request_queue_size=128)
        self._wsgi.gateway = NamingGateway
        self._wsgi.keep_alive_conn_limit = KEPT_CONNECTIONS
        self._wsgi.max_request_header_size = LONGEST_HEADERS
        self._wsgi.shutdown_timeout = LAST_REQUESTS_SECONDS
        self._wsgi.prepare()
        port = self._wsgi.bind_addr[1]
        reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
        self._opened = ExitStack()
        try:
            self._open(data_dir, clock, f"http://{reachable}:{port}", schedule_delay, foreign_s3)
        except BaseException:
            self._opened.close()
            self._wsgi.stop()
            raise
        roles = AssumedRoles(self.aws.account_id, clock)
        access = None if keys is None else Access([*keys, self.aws.key], clock, roles.key)
        self._wsgi.wsgi_app = Router(self.aws, self._services, access, only_here=is_loopback(host))
        self._thread = threading.Thread(target=self._wsgi.serve, name="http", daemon=True)

    def _open(
        self, data_dir: Path, clock: Clock, url: str, schedule_delay: timedelta, foreign_s3: ForeignS3 | None
    ) -> None:
        self.aws = LocalAws(data_dir, clock, url, schedule_delay, foreign_s3)
        self._opened.callback(self.aws.store.close)
        application = moto_application(clock)
        s3_of_format_1.set_aside(self.aws.store, data_dir / "s3", here=foreign_s3 is None)
        if foreign_s3 is None:
            application = PersistentS3(application, data_dir / "s3")
            self._opened.callback(application.close)
        s3_of_format_1.move_in(self.aws.store, data_dir / "s3", self.aws.account_id)
        self._services = DurableServices(application, data_dir / "services.sqlite", clock, self.aws.account_id)
        self._opened.callback(self._services.close)

    def start(self) -> None:
        """Answer requests, then take up what an earlier run left."""
        self._thread.start()
        self.aws.start()

    def stop(self) -> None:
        """Stop all that runs, then stop answering."""
        try:
            self.aws.stop()
        finally:
            self._wsgi.stop()
            self._thread.join(timeout=10)
            self._opened.close()


def serve(
    host: str, port: int, data_dir: Path, clock: Clock, schedule_delay: timedelta, key_file: Path | None = None
) -> None:
    """Run until SIGTERM or SIGINT; prints one line when ready. Its files are for nobody but this user.

    Raises:
        SystemExit: the port, the data folder, the key file or the S3 elsewhere cannot be used; the text says why.
    """
    os.umask(0o077)
    ended = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ended.set())
    return_large_blocks()
    launcher().warm_up()
    try:
        keys = None if key_file is None else read_keys(key_file)
        foreign_s3 = ForeignS3.of_environment()
    except (UnusableKeys, UnusableS3) as error:
        sys.exit(f"local_aws cannot start: {error}")
    try:
        server = Server(host, port, data_dir, clock, schedule_delay, keys, foreign_s3)
        server.start()
    except (UnusableStore, OSError) as error:
        _give_up(str(error))
    except Exception as error:
        log.exception("What is in %s cannot be taken up.", data_dir)
        _give_up(f"what is in {data_dir} cannot be taken up: {error!r}")
    kind = "stepped" if clock.stepped else "real"
    callers = "any key" if keys is None else f"the {len(keys)} of {key_file}"
    print(
        f"local_aws ready on {server.aws.url} (data in {data_dir}, clock {kind}, keys accepted: {callers}, "
        f"reachable from {reach(host)}, S3 at {server.aws.s3_url})",
        flush=True,
    )
    elsewhere = () if foreign_s3 is None else ("s3",)
    services = [service for service in SERVED if service not in elsewhere]
    print(services_line(server.aws.url, services, server.aws.s3_url), flush=True)
    if (said := warning(host, keys is not None)) is not None:
        print(said, file=sys.stderr, flush=True)
    ended.wait()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_DFL)
    log.info("Stopping; a second signal ends it at once.")
    server.stop()


def _give_up(reason: str) -> NoReturn:
    """End without waiting for the threads that run already: an end at any moment loses nothing."""
    print(f"local_aws cannot start: {reason}", file=sys.stderr, flush=True)
    os._exit(1)
