"""Customers of an invented telecom company, in the shape of the well-known US churn data set, from a fixed seed.

    python -m demo.data --out .local/demo

Writes `training-dataset-with-header.csv`, `validation-dataset-with-header.csv` (label first),
`test-dataset-input-cols.csv` (model inputs only, no header) and `model.tar.gz`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20200901
CUSTOMERS = 3333
VALIDATION_ROWS = 666
TEST_ROWS = 334
CHURN_RATE = 0.145
LABEL = "Churn"

STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR "
    "PA RI SC SD TN TX UT VA VT WA WI WV WY"
).split()
CATEGORIES: dict[str, list[str]] = {
    "State": STATES,
    "Area Code": ["408", "415", "510"],
    "Int'l Plan": ["no", "yes"],
    "VMail Plan": ["no", "yes"],
}


def customers(seed: int = SEED, count: int = CUSTOMERS) -> pd.DataFrame:
    """The label and the 69 model inputs of every customer; minutes have one decimal, all else is integral."""
    rng = np.random.default_rng(seed)
    voice_mail = rng.random(count) < 0.277
    international = rng.random(count) < 0.097
    numbers = pd.DataFrame(
        {
            "Account Length": _whole(rng.normal(101, 39.8, count), 1, 243),
            "VMail Message": np.where(voice_mail, _whole(rng.normal(29.3, 7.6, count), 4, 51), 0),
            "Day Mins": _minutes(rng.normal(179.8, 54.5, count), 350.8),
            "Day Calls": _whole(rng.normal(100.4, 20.1, count), 0, 165),
            "Eve Mins": _minutes(rng.normal(201.0, 50.7, count), 363.7),
            "Eve Calls": _whole(rng.normal(100.1, 19.9, count), 0, 170),
            "Night Mins": _minutes(rng.normal(200.9, 50.6, count), 395.0),
            "Night Calls": _whole(rng.normal(100.1, 19.6, count), 33, 175),
            "Intl Mins": _minutes(rng.normal(10.2, 2.8, count), 20.0),
            "Intl Calls": _skewed_counts(rng, mean=4.48, dispersion=12.8, count=count, largest=20),
            "CustServ Calls": _skewed_counts(rng, mean=1.56, dispersion=14.7, count=count, largest=9),
        }
    )
    choices = {
        "State": rng.choice(STATES, count),
        "Area Code": rng.choice(CATEGORIES["Area Code"], count, p=[0.25, 0.5, 0.25]),
        "Int'l Plan": np.where(international, "yes", "no"),
        "VMail Plan": np.where(voice_mail, "yes", "no"),
    }
    flags = {
        f"{name}_{value}": (choices[name] == value).astype(int)
        for name, values in CATEGORIES.items()
        for value in values
    }
    churned = rng.random(count) < churn_probability(numbers, international, voice_mail)
    return pd.concat([pd.Series(churned.astype(int), name=LABEL), numbers, pd.DataFrame(flags)], axis=1)


def churn_probability(numbers: pd.DataFrame, international: np.ndarray, voice_mail: np.ndarray) -> np.ndarray:
    """How likely each customer is to leave, in [0, 1]: any of four independent reasons is enough.

    A high daytime bill (milder with voice mail), service calls that did not help, an international plan that does not
    fit its use, and a rate of leaving without any of them, set so that `CHURN_RATE` results.
    """
    bill = numbers["Day Mins"] * 0.17 + numbers["Eve Mins"] * 0.085 + numbers["Night Mins"] * 0.045
    costly = 0.95 * _sigmoid((bill - 70.0) / 1.2) * np.where(voice_mail, 0.1, 1.0)
    unheard = 0.88 * _sigmoid((numbers["CustServ Calls"] - 3.5) * 5) * _sigmoid((175 - numbers["Day Mins"]) / 8)
    misfit = (
        0.95
        * international
        * np.maximum(_sigmoid((numbers["Intl Mins"] - 13.0) * 4), _sigmoid((2.5 - numbers["Intl Calls"]) * 5))
    )
    loyal = np.asarray((1 - costly) * (1 - unheard) * (1 - misfit))
    unexplained = 1 - (1 - CHURN_RATE) / loyal.mean()
    return np.asarray(1 - loyal * (1 - unexplained))


def write(folder: Path, seed: int = SEED) -> None:
    """Write the three data sets and the model trained on the first of them."""
    from demo.model import train, write_archive

    everyone = customers(seed)
    training = everyone[: -VALIDATION_ROWS - TEST_ROWS]
    validation = everyone[-VALIDATION_ROWS - TEST_ROWS : -TEST_ROWS]
    test = everyone[-TEST_ROWS:].drop(columns=LABEL)

    folder.mkdir(parents=True, exist_ok=True)
    training.to_csv(folder / "training-dataset-with-header.csv", index=False, lineterminator="\n")
    validation.to_csv(folder / "validation-dataset-with-header.csv", index=False, lineterminator="\n")
    test.to_csv(folder / "test-dataset-input-cols.csv", index=False, header=False, lineterminator="\n")
    write_archive(train(training.drop(columns=LABEL), training[LABEL]), folder / "model.tar.gz")


def _whole(values: np.ndarray, smallest: int, largest: int) -> np.ndarray:
    return np.asarray(np.clip(np.rint(values), smallest, largest), dtype=int)


def _minutes(values: np.ndarray, largest: float) -> np.ndarray:
    return np.asarray(np.round(np.clip(values, 0, largest), 1))


def _skewed_counts(rng: np.random.Generator, *, mean: float, dispersion: float, count: int, largest: int) -> np.ndarray:
    return np.asarray(np.minimum(rng.negative_binomial(dispersion, dispersion / (dispersion + mean), count), largest))


def _sigmoid(values: pd.Series) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


def main() -> None:
    """Write the example's files into the folder given on the command line."""
    parser = argparse.ArgumentParser(description="Make the example's data sets and model.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    folder = parser.parse_args().out
    write(folder)
    print(f"Example data sets and model are in {folder}")


if __name__ == "__main__":
    main()
