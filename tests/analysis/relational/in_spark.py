"""Run in the Spark environment: `python in_spark.py FOLDER` analyses the windows there with one session after another.

Each subfolder of FOLDER holds a window that `Window.put` wrote; its results go to "spark.json", its merged records to
"spark".
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from windows import NO_ROW, WINDOWS

from model_monitor.analysis.relational.engines import SparkEngine
from model_monitor.analysis.serialise import dumps

SETTINGS = {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "2", "spark.driver.bindAddress": "127.0.0.1"}


def main(root: Path) -> None:
    """Analyse them all."""
    for folder in sorted(root.iterdir()):
        window = WINDOWS[folder.name]
        found = window.analysed(folder, SparkEngine(SETTINGS), NO_ROW, "spark")
        content = {"summary": asdict(found.summary), "records": found.records, "sections": dumps(found.sections)}
        (folder / "spark.json").write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
