"""Which program stands for which image: the repository's name decides, so that another runner is one more entry."""

from __future__ import annotations

MODEL_SERVERS = {
    "sagemaker-xgboost": "local_aws.containers.xgboost_server",
    "xgboost": "local_aws.containers.xgboost_server",
    "sagemaker-scikit-learn": "local_aws.containers.sklearn_server",
    # No image of AWS's: any model that a script can load, with what is installed here.
    "python-inference": "local_aws.containers.script_server",
}
JOBS = {
    "sagemaker-clarify-processing": "local_aws.containers.clarify",
    "sagemaker-model-monitor-groundtruth-merger": "local_aws.containers.groundtruth_merger",
}


class NoRunner(Exception):
    """No program here stands for an image; the text says which there are."""


def repository(image: str) -> str:
    """`sagemaker-xgboost` of `246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:0.90-1-cpu-py3`."""
    return image.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]


def model_server(image: str) -> str:
    """The module that serves models in an image's stead.

    Raises:
        NoRunner: there is none.
    """
    return _find(MODEL_SERVERS, image, "serves models for")


def job(image: str) -> str:
    """The module that does an image's processing jobs.

    Raises:
        NoRunner: there is none.
    """
    return _find(JOBS, image, "runs jobs for")


def _find(table: dict[str, str], image: str, does: str) -> str:
    name = repository(image)
    if name not in table:
        raise NoRunner(
            f'No program here {does} the image "{image}". Images of these names have one: {", ".join(table)}.'
        )
    return table[name]
