"""A program that stands for a processing image in tests; the job's environment variable BEHAVIOUR says what it does."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from local_aws.containers.job_container import exit_with_parent, log_to_stdout

ROOT = Path(os.environ["OPT_ML_ROOT"])
OUTPUT = ROOT / "opt/ml/processing/output"
INPUT = ROOT / "opt/ml/processing/input"


def leave_message(text: str) -> None:
    """Leave an exit message."""
    file = ROOT / "opt/ml/output/message"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def until_released() -> None:
    """Go on until the file that RELEASE names is there."""
    while not Path(os.environ["RELEASE"]).exists():
        time.sleep(0.02)


def main() -> int:
    """Behave."""
    exit_with_parent()
    log_to_stdout()
    behaviour, _, argument = os.environ.get("BEHAVIOUR", "complete").partition(":")
    print(f"behaving: {behaviour}")
    match behaviour:
        case "complete":
            files = sorted(str(file.relative_to(ROOT)) for file in INPUT.rglob("*") if file.is_file())
            (OUTPUT / "inputs.json").write_text(json.dumps(files))
            leave_message(argument or "Completed: done")
        case "fail":
            leave_message("Customer Error: the data is wrong")
            return int(argument)
        case "wait":
            (OUTPUT / "started").write_text("started")
            until_released()
            leave_message("Completed: released")
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            (OUTPUT / "started").write_text("started")
            until_released()
        case "crash":
            print(f"{OUTPUT} is my output")
            raise RuntimeError("crashed")
        case "forever":
            (OUTPUT / "started").write_text(str(os.getpid()))
            until_released()
        case "memory":
            print("about to take memory")
            bytearray(int(argument))
        case "silent":
            return int(argument)
        case "many lines":
            for number in range(20):
                print(f"line {number} {'x' * 300}")
            return int(argument)
        case "metrics":
            folder = ROOT / "opt/ml/output/metrics/cloudwatch"
            folder.mkdir(parents=True)
            datum = {"MetricName": "stub", "Value": 0.5, "Timestamp": os.environ["metric_time"]}  # noqa: SIM112
            (folder / "stub.jsonl").write_text(json.dumps({"Namespace": "stub", "MetricData": [datum]}) + "\n")
            leave_message(argument or "Completed: done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
