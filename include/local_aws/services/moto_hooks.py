"""Methods of moto's classes that do something of ours as well, as long as a server runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]


class Hooks:
    """Replaces methods, and puts back what was there."""

    def __init__(self) -> None:
        self._originals: list[tuple[type, str, Method | None]] = []

    def around(self, owner: type, name: str, make: Callable[[Method], Method]) -> None:
        """Replace a method by one that is made of it."""
        original = getattr(owner, name)
        self._originals.append((owner, name, original))
        setattr(owner, name, make(original))

    def add(self, owner: type, name: str, method: Method) -> None:
        """Give a class a method that it lacks; one that it has stays."""
        if not hasattr(owner, name):
            self._originals.append((owner, name, None))
            setattr(owner, name, method)

    def undo(self) -> None:
        """Put back what was there."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
