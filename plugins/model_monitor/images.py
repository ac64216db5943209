"""Which container images SageMaker provides: the account that holds them differs from region to region.

The two that the example needs are here, so that nothing has to be imported for them; `sagemaker-core` knows the rest.
"""

from __future__ import annotations

import re

from model_monitor.config.hosting import FrameworkImage
from model_monitor.errors import ConfigError

XGBOOST_TAGS = {
    "0.90-1": "0.90-1-cpu-py3",
    "0.90-2": "0.90-2-cpu-py3",
    "1.0-1": "1.0-1-cpu-py3",
    "1.2-1": "1.2-1",
    "1.2-2": "1.2-2",
    "1.3-1": "1.3-1",
    "1.5-1": "1.5-1",
    "1.7-1": "1.7-1",
    "3.0-5": "3.0-5",
    "3.2-0": "3.2-0",
}

DNS_SUFFIXES = (
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("", "amazonaws.com"),
)

_INTEL_OR_AMD = re.compile(r"ml\.[cmrt]\d(?!g)[a-z]*\.")


def image_uri(image: FrameworkImage | str, region: str, instance_type: str) -> str:
    """The image's full address; one that is given in full is answered as it is.

    Raises:
        ConfigError: SageMaker has no such image in this region for this instance type, or only `sagemaker-core` could
            tell and it is not installed.
    """
    if isinstance(image, str):
        return image
    tag = XGBOOST_TAGS.get(image.version) if image.framework == "xgboost" else None
    if tag and region in XGBOOST_ACCOUNTS and _INTEL_OR_AMD.match(instance_type):
        return _uri(XGBOOST_ACCOUNTS[region], region, f"sagemaker-xgboost:{tag}")
    return _look_up(image, region, instance_type)


def clarify_image(region: str) -> str:
    """The address of `sagemaker-clarify-processing:1.0`.

    Raises:
        ConfigError: Clarify does not exist in this region.
    """
    if region not in CLARIFY_ACCOUNTS:
        raise ConfigError(f"region: no SageMaker Clarify in '{region}'; it is in {', '.join(CLARIFY_ACCOUNTS)}")
    return _uri(CLARIFY_ACCOUNTS[region], region, "sagemaker-clarify-processing:1.0")


def _uri(account: str, region: str, repository: str) -> str:
    suffix = next(suffix for prefix, suffix in DNS_SUFFIXES if region.startswith(prefix))
    return f"{account}.dkr.ecr.{region}.{suffix}/{repository}"


def _look_up(image: FrameworkImage, region: str, instance_type: str) -> str:
    try:
        from sagemaker.core import image_uris
    except ImportError as error:
        raise ConfigError(
            f"model.image: the address of {image.framework} {image.version} in {region} for {instance_type} is not "
            "built in, and sagemaker-core, which would know it, is not installed (it conflicts with Airflow from "
            "Python 3.12 on); give the full image URI, such as "
            "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3"
        ) from error
    try:
        return str(
            image_uris.retrieve(
                image.framework, region, image.version, instance_type=instance_type, image_scope="inference"
            )
        )
    except FileNotFoundError as error:
        raise ConfigError(
            f"model.image.framework: SageMaker has no images of '{image.framework}'; it has "
            f"{', '.join(image_uris.list_frameworks())}"
        ) from error
    except (ValueError, KeyError) as error:
        raise ConfigError(f"model.image: {image.framework} {image.version}: {error}") from error


# The accounts as sagemaker-core 2.27 gives them.
XGBOOST_ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-iso-east-1": "833128469047",
    "us-isob-east-1": "281123927165",
    "us-isof-east-1": "108575199400",
    "us-isof-south-1": "124985052026",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}

CLARIFY_ACCOUNTS = {
    "af-south-1": "811711786498",
    "ap-east-1": "098760798382",
    "ap-northeast-1": "377024640650",
    "ap-northeast-2": "263625296855",
    "ap-northeast-3": "912233562940",
    "ap-south-1": "452307495513",
    "ap-southeast-1": "834264404009",
    "ap-southeast-2": "007051062584",
    "ap-southeast-3": "705930551576",
    "ca-central-1": "675030665977",
    "cn-north-1": "122526803553",
    "cn-northwest-1": "122578899357",
    "eu-central-1": "017069133835",
    "eu-central-2": "730335477804",
    "eu-north-1": "763603941244",
    "eu-south-1": "638885417683",
    "eu-west-1": "131013547314",
    "eu-west-2": "440796970383",
    "eu-west-3": "341593696636",
    "me-south-1": "835444307964",
    "sa-east-1": "520018980103",
    "us-east-1": "205585389593",
    "us-east-2": "211330385671",
    "us-gov-west-1": "598674086554",
    "us-isof-east-1": "579539705040",
    "us-isof-south-1": "411392592546",
    "us-west-1": "740489534195",
    "us-west-2": "306415355426",
}
