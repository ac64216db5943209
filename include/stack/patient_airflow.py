"""Airflow's command line for a command that writes much, beside a scheduler on the same SQLite file.

SQLite refuses at once, however long it may wait, a transaction that has read and then wants to write when another one
has written meanwhile. `airflow backfill create` has such transactions, and leaves half a backfill behind when one is
refused. Here every transaction begins by waiting for its turn to write. Source: SQLAlchemy's documentation of pysqlite,
"Serializable isolation / Savepoints / Transactional DDL".
"""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import Connection, Engine, event

TURN_MILLISECONDS = 60_000


@event.listens_for(Engine, "connect")
def _leave_transactions_to_us(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {TURN_MILLISECONDS}")


@event.listens_for(Engine, "begin")
def _wait_for_the_turn(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


if __name__ == "__main__":
    from airflow.__main__ import main

    sys.exit(main())
