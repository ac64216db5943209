from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from model_monitor import names
from model_monitor.config import load_endpoint

CHURN = load_endpoint(Path(__file__).parents[1] / "include" / "endpoints" / "churn.yaml")
ROOT = "s3://sagemaker-us-west-2-123456789012/sagemaker/churn-model-monitor"
TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_names() -> None:
    assert names.model(CHURN, "0123456789ab") == "churn-0123456789ab"
    assert names.endpoint(CHURN) == "churn"
    assert names.baseline_job(CHURN, "bias", "0123456789ab") == "churn-bias-baseline-0123456789ab"
    assert names.job_definition(CHURN, "explainability", "0123456789ab") == "churn-explain-0123456789ab"
    assert names.shadow_endpoint(CHURN, "bias").startswith(names.shadow_prefix(CHURN))
    assert [names.schedule(CHURN, kind) for kind in names.KINDS] == ["churn-bias", "churn-explain"]
    assert names.violations_asset(CHURN, "explainability") == "model-monitor://churn/explainability/violations"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (names.captures(CHURN), "datacapture/churn"),
        (names.captures(CHURN, TEN), "datacapture/churn/AllTraffic/2026/11/22/10"),
        (names.ground_truth(CHURN), "ground_truth"),
        (names.ground_truth(CHURN, TEN), "ground_truth/2026/11/22/10"),
        (names.ground_truth_file(CHURN, TEN), "ground_truth/2026/11/22/10/0000.jsonl"),
        (names.baseline_analysis_config(CHURN, "bias"), "baselining/model_bias/analysis_config.json"),
        (names.earlier_baselines(CHURN, "bias"), "baselining/earlier/model_bias"),
        (names.baseline_constraints(CHURN, "explainability"), "baselining/model_explainability/analysis.json"),
        (names.report_folder(CHURN, "bias", "2026/11/22/10"), "reports/churn/churn-bias/2026/11/22/10"),
        (names.merged(CHURN), "reports/merge"),
        (names.window_work(CHURN, "explainability", "2026/11/22/10"), "windows/explain/2026/11/22/10"),
        (names.analysis_config(CHURN, "churn-bias-1"), "reports/churn-bias-1/analysis_config.json"),
        (names.model_archive(CHURN, "1"), "model/1/model.tar.gz"),
        (names.write_test(CHURN), "test_upload/upload-test-file.txt"),
        (
            names.range_report(CHURN, "bias", TEN, TEN + timedelta(days=7)),
            "range_reports/churn/bias/20261122T100000Z--20261129T100000Z/report.html",
        ),
        (names.alert_state(CHURN, "bias"), "alerts/bias.json"),
    ],
)
def test_addresses(address: str, key: str) -> None:
    assert address == f"{ROOT}/{key}"
    assert names.split_s3(address) == ("sagemaker-us-west-2-123456789012", f"sagemaker/churn-model-monitor/{key}")


def test_hours_are_utc_s_whatever_the_zone() -> None:
    half_past_three_in_delhi = datetime(2026, 11, 22, 3, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert names.hour_path(half_past_three_in_delhi) == "2026/11/21/22"
    assert names.ground_truth_file(CHURN, half_past_three_in_delhi).endswith("/2026/11/21/22/0000.jsonl")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (TEN, TEN + timedelta(hours=1), [10, 11]),
        (TEN + timedelta(minutes=59), TEN + timedelta(minutes=61), [10, 11]),
        (TEN + timedelta(minutes=5), TEN + timedelta(minutes=6), [10]),
        (TEN, TEN - timedelta(hours=1), []),
    ],
)
def test_a_window_reads_every_hour_it_touches(start: datetime, end: datetime, expected: list[int]) -> None:
    assert [hour.hour for hour in names.hours(start, end)] == expected


def test_fingerprints_follow_content_not_the_order_of_keys() -> None:
    assert names.fingerprint({"a": 1, "b": [2]}) == names.fingerprint({"b": [2], "a": 1})
    assert names.fingerprint({"a": 1, "b": [2]}) != names.fingerprint({"a": 1, "b": [2.5]})
    assert names.fingerprint("a", "b") != names.fingerprint("ab")
    assert len(names.fingerprint("a")) == 12
