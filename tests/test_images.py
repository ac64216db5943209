from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from model_monitor.config.hosting import FrameworkImage
from model_monitor.errors import ConfigError
from model_monitor.images import XGBOOST_ACCOUNTS, XGBOOST_TAGS, clarify_image, image_uri

GOLDEN = json.loads((Path(__file__).parent / "golden" / "images.json").read_text())


def xgboost(version: str) -> FrameworkImage:
    return FrameworkImage(framework="xgboost", version=version)


@pytest.mark.parametrize("version", ["0.90-1", "1.7-1"])
def test_xgboost_in_every_region(version: str) -> None:
    golden = GOLDEN[f"xgboost {version}"]
    assert {region: image_uri(xgboost(version), region, "ml.m5.large") for region in golden} == golden


def test_clarify_in_every_region() -> None:
    golden = GOLDEN["clarify 1.0"]
    assert {region: clarify_image(region) for region in golden} == golden


def test_a_full_uri_is_taken_as_it_is() -> None:
    own = "123456789012.dkr.ecr.us-west-2.amazonaws.com/own:1"
    assert image_uri(own, "us-west-2", "ml.m5.large") == own


def test_no_clarify_in_a_region_says_where_it_is() -> None:
    with pytest.raises(ConfigError, match="no SageMaker Clarify in 'il-central-1'; it is in af-south-1, "):
        clarify_image("il-central-1")


def test_without_sagemaker_core_other_images_are_asked_for_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("sagemaker"):
            raise ModuleNotFoundError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError, match=r"model.image: the address of sklearn 1\.2-1 in us-west-2 .* full image URI"):
        image_uri(FrameworkImage(framework="sklearn", version="1.2-1"), "us-west-2", "ml.m5.large")
    assert "xgboost:0.90-1" in image_uri(xgboost("0.90-1"), "us-west-2", "ml.m5.large")


# sagemaker-core cannot be installed from Python 3.12 on; there the committed table above has to do.
if sys.version_info < (3, 12):

    def test_our_table_is_sagemaker_core_s_in_every_region() -> None:
        from sagemaker.core import image_uris

        ours = {region: image_uri(xgboost("0.90-1"), region, "ml.m5.large") for region in XGBOOST_ACCOUNTS}
        assert ours == {region: image_uris.retrieve("xgboost", region, "0.90-1") for region in XGBOOST_ACCOUNTS}

    @pytest.mark.parametrize("instance_type", ["ml.m5.large", "ml.c6i.xlarge", "ml.t2.medium", "ml.r5d.large"])
    def test_our_table_is_sagemaker_core_s_for_every_version(instance_type: str) -> None:
        from sagemaker.core import image_uris

        assert {version: image_uri(xgboost(version), "eu-west-1", instance_type) for version in XGBOOST_TAGS} == {
            version: image_uris.retrieve("xgboost", "eu-west-1", version, instance_type=instance_type)
            for version in XGBOOST_TAGS
        }

    def test_images_outside_our_table_are_looked_up() -> None:
        assert image_uri(xgboost("1.5-1"), "us-west-2", "ml.c7g.large").endswith("/sagemaker-xgboost:1.5-1-arm64")
        sklearn = FrameworkImage(framework="sklearn", version="1.2-1")
        assert image_uri(sklearn, "us-west-2", "ml.m5.large").endswith("/sagemaker-scikit-learn:1.2-1-cpu-py3")

    @pytest.mark.parametrize(
        ("image", "region", "instance_type", "message"),
        [
            (xgboost("9.9"), "us-west-2", "ml.m5.large", "xgboost 9.9: Unsupported xgboost version"),
            (xgboost("0.90-1"), "us-west-2", "ml.g4dn.xlarge", "xgboost 0.90-1: Unsupported processor: gpu"),
            (xgboost("0.90-1"), "xx-nowhere-1", "ml.m5.large", "Unsupported region: xx-nowhere-1"),
            (
                FrameworkImage(framework="xgbost", version="1"),
                "us-west-2",
                "ml.m5.large",
                "no images of 'xgbost'; it has .*xgboost",
            ),
        ],
    )
    def test_what_sagemaker_does_not_offer_is_a_configuration_error(
        image: FrameworkImage, region: str, instance_type: str, message: str
    ) -> None:
        with pytest.raises(ConfigError, match=message):
            image_uri(image, region, instance_type)
