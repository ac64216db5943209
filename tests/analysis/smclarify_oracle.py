"""Runs `smclarify` on the cases of a JSON file and prints its reports as JSON. For the oracles' environment only."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

import pandas as pd
from smclarify.bias import report


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Both stages' reports of one case, the printed label value, and the seconds taken; or the error's text."""
    frame = pd.DataFrame({name: pd.Series(c["values"], dtype=c["type"]) for name, c in case["columns"].items()})
    predicted = pd.Series(case["predicted"]["values"], dtype=case["predicted"]["type"])
    started = time.perf_counter()
    arguments: dict[str, Any] = {
        "facet_column": report.FacetColumn("facet", case["facet_values"]),
        "group_variable": frame["group"] if case["group_variable"] else None,
    }

    def label() -> report.LabelColumn:
        return report.LabelColumn("label", frame["label"], list(case["label_values"]))

    metrics = case.get("metrics") or ["all"]
    try:
        post = report.bias_report(
            frame,
            label_column=label(),
            stage_type=report.StageType.POST_TRAINING,
            predicted_label_column=report.LabelColumn("predicted", predicted, list(case["label_values"])),
            metrics=metrics,
            **arguments,
        )
        pre = report.bias_report(frame, label_column=label(), stage_type=report.StageType.PRE_TRAINING, **arguments)
    except Exception as error:
        return {"error": str(error)}
    shown = report.label_value_or_threshold(frame["label"], list(case["label_values"]))
    return {"post": post, "pre": pre, "label": shown, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps([run(case) for case in json.load(file)]))
