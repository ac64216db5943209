"""The example data set has the shape, the columns and the causes that its documentation promises."""

from __future__ import annotations

import filecmp

import numpy as np
import pandas as pd
import pytest

from demo import data

STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK \
OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
)
HEADER = [
    "Churn", "Account Length", "VMail Message", "Day Mins", "Day Calls", "Eve Mins", "Eve Calls", "Night Mins",
    "Night Calls", "Intl Mins", "Intl Calls", "CustServ Calls", *(f"State_{state}" for state in STATES.split()),
    "Area Code_408", "Area Code_415", "Area Code_510", "Int'l Plan_no", "Int'l Plan_yes", "VMail Plan_no",
    "VMail Plan_yes",
]  # fmt: skip


@pytest.fixture(scope="module")
def everyone() -> pd.DataFrame:
    return data.customers()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("example")
    data.write(folder)
    return folder


def test_label_first_then_69_inputs_in_the_published_order(everyone: pd.DataFrame) -> None:
    assert list(everyone.columns) == HEADER
    assert len(everyone) == 3333
    assert everyone["Churn"].mean() == pytest.approx(0.145, abs=0.005)


@pytest.mark.parametrize(
    ("column", "mean", "deviation"),
    [
        ("Account Length", 101, 40),
        ("Day Mins", 180, 54),
        ("Day Calls", 100, 20),
        ("Eve Mins", 201, 50),
        ("Night Mins", 201, 50),
        ("Intl Mins", 10.2, 2.8),
        ("Intl Calls", 4.5, 2.5),
        ("CustServ Calls", 1.6, 1.3),
    ],
)
def test_usage_is_distributed_as_in_the_well_known_data(
    everyone: pd.DataFrame, column: str, mean: float, deviation: float
) -> None:
    assert everyone[column].mean() == pytest.approx(mean, rel=0.05)
    assert everyone[column].std() == pytest.approx(deviation, rel=0.1)


def test_counts_are_skewed_and_account_length_is_bounded(everyone: pd.DataFrame) -> None:
    assert everyone["Intl Calls"].skew() > 0.5
    assert everyone["CustServ Calls"].skew() > 0.5
    assert everyone["Account Length"].between(1, 243).all()


def test_every_customer_has_exactly_one_value_of_each_category(everyone: pd.DataFrame) -> None:
    for category in ("State_", "Area Code_", "Int'l Plan_", "VMail Plan_"):
        flags = everyone[[column for column in everyone if column.startswith(category)]]
        assert (flags.sum(axis=1) == 1).all()
    assert everyone["Int'l Plan_yes"].mean() == pytest.approx(0.097, abs=0.01)
    assert everyone["VMail Plan_yes"].mean() == pytest.approx(0.277, abs=0.01)


def test_messages_belong_to_the_voice_mail_plan(everyone: pd.DataFrame) -> None:
    with_plan = everyone["VMail Plan_yes"] == 1
    assert (everyone.loc[~with_plan, "VMail Message"] == 0).all()
    assert everyone.loc[with_plan, "VMail Message"].mean() == pytest.approx(29, abs=1)


@pytest.mark.parametrize(
    "cause",
    [
        lambda c: c["Day Mins"] > 260,
        lambda c: (c["CustServ Calls"] >= 4) & (c["Day Mins"] < 160),
        lambda c: (c["Int'l Plan_yes"] == 1) & (c["Intl Calls"] <= 2),
    ],
    ids=["many day minutes", "many service calls", "international plan"],
)
def test_each_cause_makes_churn_several_times_as_likely(everyone: pd.DataFrame, cause) -> None:
    churned = everyone["Churn"] == 1
    assert churned[cause(everyone)].mean() > 3 * churned.mean()


def test_files_have_the_promised_rows_and_no_mangled_header(folder) -> None:
    training = pd.read_csv(folder / "training-dataset-with-header.csv")
    validation = pd.read_csv(folder / "validation-dataset-with-header.csv")
    test = pd.read_csv(folder / "test-dataset-input-cols.csv", header=None)
    assert (len(training), len(validation), len(test)) == (2333, 666, 334)
    assert list(validation.columns) == list(training.columns) == HEADER
    assert test.shape == (334, 69)
    assert all(np.issubdtype(kind, np.number) for kind in test.dtypes)


def test_whole_quantities_stay_whole_and_minutes_have_one_decimal(folder) -> None:
    first = (folder / "test-dataset-input-cols.csv").read_text().splitlines()[0].split(",")
    row = dict(zip(HEADER[1:], first, strict=True))
    minutes = {name for name in row if name.endswith("Mins")}
    assert all(len(row[name].partition(".")[2]) == 1 for name in minutes)
    assert all(row[name].isdigit() for name in row if name not in minutes)


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path) -> None:
    data.write(tmp_path)
    names = sorted(path.name for path in folder.iterdir())
    assert filecmp.cmpfiles(folder, tmp_path, names, shallow=False) == (names, [], [])
