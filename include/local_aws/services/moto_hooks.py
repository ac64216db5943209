"""What moto's classes and modules do in a way of ours, as long as a server runs."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

Method = Callable[..., Any]


class Hooks:
    """Replaces methods, and what modules use, and puts back what was there."""

    def __init__(self) -> None:
        self._originals: list[tuple[type | ModuleType, str, Any]] = []

    def around(self, owner: type, name: str, make: Callable[[Method], Method]) -> None:
        """Replace a method by one that is made of it."""
        original = getattr(owner, name)
        self._originals.append((owner, name, original))
        setattr(owner, name, make(original))

    def replace(self, owner: ModuleType, name: str, made: Any) -> None:
        """Let a module find something else under a name."""
        self._originals.append((owner, name, getattr(owner, name)))
        setattr(owner, name, made)

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
