"""What single values of the YAML may be, with the words that errors explain them by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
)

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=40),
    Field(description="at most 40 letters, digits and inner hyphens, such as churn"),
]
RoleArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/.+$"),
    Field(description="an IAM role's ARN, such as arn:aws:iam::123456789012:role/SageMakerRole"),
]
Bucket = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$"),
    Field(description="a bucket's name without s3://: 3 to 63 lower-case letters, digits, dots and hyphens"),
]
Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^[^/\s](\S*[^/\s])?$"),
    Field(description="a key prefix without spaces and without a slash at either end, such as monitor/churn"),
]
Offset = Annotated[
    str,
    StringConstraints(pattern=r"^-P(\d+D|(\d+D)?T(\d+H|\d+M|\d+H\d+M))$", max_length=15),
    Field(description="an ISO 8601 duration back from the scheduled time, such as -PT1H or -P1D"),
]
ScheduleExpression = Annotated[
    str,
    StringConstraints(pattern=r"^cron\(0 (\*|([01]?\d|2[0-3])(/\d{1,2})?) \? \* \* \*\)$"),
    Field(
        description="hourly: cron(0 * ? * * *), daily at 14 UTC: cron(0 14 ? * * *), or every 6 hours from midnight: "
        "cron(0 0/6 ? * * *)"
    ),
]
InstanceType = Annotated[
    str,
    StringConstraints(pattern=r"^ml\.[a-z0-9\-]+\.[a-z0-9]+$"),
    Field(description="an instance type such as ml.m5.large"),
]
Region = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"),
    Field(description="an AWS region such as us-west-2"),
]
Scalar = StrictInt | StrictFloat | StrictStr
VALUES = "a list of numbers and texts, such as [100] or ['yes']; yes, no, on and off must be quoted"
Values = Annotated[list[Scalar], Field(min_length=1, description=VALUES)]


def _jmespath(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise AssertionError(str(error)) from error
    return text


ContentType = Literal["text/csv", "application/jsonlines", "application/json"]
JsonPath = Annotated[str, StringConstraints(max_length=256), AfterValidator(_jmespath)]
PATH = "a place in JSON as JMESPath, such as instances[*].features"
Place = Annotated[StrictInt, Field(ge=0)] | JsonPath
PLACE = "a place in answers: a position in CSV, such as 0, or JMESPath in JSON, such as predictions[*].score"


class Section(BaseModel):
    """A part of the YAML: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def repeated(names: Iterable[str]) -> str | None:
    """The first name that is there more than once."""
    return next((name for name, count in Counter(names).items() if count > 1), None)
