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
        self._encoder = json.JSONEncoder(default=self._written, separators=(",", ":"), ensure_ascii=False)

    def dumps(self, value: Any) -> str:
        """The JSON text of a value.

        Raises:
            UnknownKind: it holds something that could not be read back.
        """
        return self._encoder.encode(value)

    def loads(self, text: str) -> Any:
        """The value of a JSON text.

        Raises:
            UnknownKind: it names a class that is not known here.
        """
        return self._read(json.loads(text))

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

    def _read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._read(item) if isinstance(item, dict | list) else item for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((kind, content),) = value.items()
            if kind == MOMENT:
                return datetime.fromisoformat(content)
            if kind == BYTES:
                return base64.b64decode(content)
            if kind == SET:
                return set(content)
        read = {name: self._read(item) if isinstance(item, dict | list) else item for name, item in value.items()}
        if CLASS not in read:
            return read
        name = read.pop(CLASS)
        if name not in self._classes:
            raise UnknownKind(f"A document holds an object of class {name}, which this version does not know.")
        made: Any = object.__new__(self._classes[name])
        vars(made).update(read)
        return made
