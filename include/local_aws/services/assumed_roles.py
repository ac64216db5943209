"""The temporary keys that STS's AssumeRole has given out."""

from __future__ import annotations

from datetime import UTC

from local_aws.access.keys import Key
from local_aws.clock import Clock


class AssumedRoles:
    """Finds the keys of roles of one account; each is good, together with its token, until it expires."""

    def __init__(self, account_id: str, clock: Clock) -> None:
        self._account_id = account_id
        self._clock = clock

    def key(self, key_id: str) -> Key | None:
        """The key of that name, if there is one and it has not expired."""
        from moto.sts.models import sts_backends

        for backend in list(sts_backends[self._account_id].values()):
            role = backend.get_assumed_role_from_access_key(key_id)
            if role is not None and role.expiration.replace(tzinfo=UTC) > self._clock.now():
                return Key(key_id, role.secret_access_key, role.session_token)
        return None
