"""The HTTP server, which gives no thread to a connection that has said nothing yet."""

from __future__ import annotations

from typing import Any

from cheroot.wsgi import Server


class PatientServer(Server):
    """Cheroot's, whose threads would each wait ten seconds for a new connection's first byte."""

    def process_conn(self, conn: Any) -> None:
        """Have a thread read a request; a new connection waits for its first byte beside those that are kept."""
        if conn.last_used is None:
            self._connections.put(conn)  # type: ignore[attr-defined]
        else:
            super().process_conn(conn)
