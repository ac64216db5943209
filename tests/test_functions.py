from __future__ import annotations

import pytest

from model_monitor import functions
from model_monitor.errors import ConfigError
from model_monitor.labels import random_labels


def test_a_path_leads_to_its_function() -> None:
    assert functions.load("ground_truth.source", "model_monitor.labels.random_labels") is random_labels


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.at_all.labels", "retraining.function: .* cannot import 'nowhere.at_all': No module named 'nowhere'"),
        ("model_monitor.labels.randomlabels", "has no function 'randomlabels'; it has labels, random_labels"),
        ("model_monitor.labels.__name__", "holds '__name__', which is not a function"),
    ],
)
def test_a_function_that_is_not_there_is_named(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        functions.load("retraining.function", path)


def test_arguments_that_the_function_does_not_take_are_named() -> None:
    def retrain(material: object, share: float = 0.5) -> None: ...

    functions.refuse_misfit(retrain, object(), {"share": 0.2}, "retraining.arguments: retrain")
    with pytest.raises(ConfigError, match=r"retraining.arguments: retrain\(.*share.*cannot be called with .*'rate'"):
        functions.refuse_misfit(retrain, object(), {"rate": 0.2}, "retraining.arguments: retrain")
