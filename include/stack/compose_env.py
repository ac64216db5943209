"""`python -m stack.compose_env .env`: generated secrets for docker-compose.yaml. Standard library only."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path


def compose_env() -> str:
    """Every variable that docker-compose.yaml requires, each secret drawn anew."""
    values = {
        "AIRFLOW_UID": str(os.getuid() or 50000),
        "FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "JWT_SECRET": secrets.token_urlsafe(48),
        "API_SECRET_KEY": secrets.token_urlsafe(48),
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
        "AIRFLOW_PASSWORD": secrets.token_urlsafe(12),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def main() -> int:
    """Write the file unless there is one: changing secrets would lock out a database made with the old ones."""
    file = Path(sys.argv[1])
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{file} exists and stays as it is.")
        return 0
    with os.fdopen(descriptor, "w") as stream:
        stream.write(compose_env())
    print(f"Wrote {file}. Log in as admin with its AIRFLOW_PASSWORD.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
