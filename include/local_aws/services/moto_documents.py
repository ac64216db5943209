"""Moto's model objects as JSON, and back.

An object becomes its class's name and its attributes, so that whatever setting moto keeps is kept, without a list of
settings here. Only classes that are known come back: a document cannot make anything else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

CLASS, MOMENT, BYTES, SET = "$class", "$moment", "$bytes", "$set"


class UnknownKind(Exception):
    """A value of a class that cannot be written or read; the text names it."""


class Documents:
    """Writes and reads objects of the classes given."""

    def __init__(self, classes: Iterable[type]) -> None:
        self._classes = {kind.__name__: kind for kind in classes}
        self._names = {kind: name for name, kind in self._classes.items()}

    def dumps(self, value: Any) -> str:
        """The JSON text of a value.

        Raises:
            UnknownKind: it holds something that could not be read back.
        """
        return json.dumps(value, default=self._written, separators=(",", ":"), ensure_ascii=False)

    def loads(self, text: str) -> Any:
        """The value of a JSON text.

        Raises:
            UnknownKind: it names a class that is not known here.
        """
        return json.loads(text, object_hook=self._read)

    def _written(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return {MOMENT: value.isoformat()}
        if isinstance(value, bytes | bytearray):
            return {BYTES: base64.b64encode(value).decode()}
        if isinstance(value, set | frozenset):
            return {SET: sorted(value)}
        if (name := self._names.get(type(value))) is not None:
            return {CLASS: name, **vars(value)}
        raise UnknownKind(f"{type(value).__module__}.{type(value).__qualname__} cannot be kept: {value!r}")

    def _read(self, document: dict[str, Any]) -> Any:
        if CLASS in document:
            name = document.pop(CLASS)
            if name not in self._classes:
                raise UnknownKind(f"A document holds an object of class {name}, which this version does not know.")
            made: Any = object.__new__(self._classes[name])
            vars(made).update(document)
            return made
        if len(document) == 1:
            ((kind, value),) = document.items()
            if kind == MOMENT:
                return datetime.fromisoformat(value)
            if kind == BYTES:
                return base64.b64decode(value)
            if kind == SET:
                return set(value)
        return document
