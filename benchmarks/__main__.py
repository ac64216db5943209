"""Runs every benchmark of this folder: `make bench`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        import_module(f"{__package__}.{file.stem}").main()
        print()
