"""Header names as they were sent: an application gets `_` and `-` as one, S3's metadata tells them apart."""

from __future__ import annotations

from typing import Any

from cheroot.wsgi import Gateway_10
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)


class NamingGateway(Gateway_10):
    """Tells moto, beside the headers, how those were spelled that it would misspell."""

    def get_environ(self) -> Any:
        """The environment of the current request."""
        environ: Any = super().get_environ()  # type: ignore[func-returns-value]
        names = [name.decode("latin-1") for name in self.req.inheaders]
        dashed = {environ_key_for_header(name) for name in names if "_" not in name}
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
            key: name
            for name in names
            if should_preserve_original_header_name(name) and (key := environ_key_for_header(name)) not in dashed
        }
        return environ
