"""`<endpoint>.preflight`: the definition is tested against reality before anything costs money."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_settings import settings
from model_monitor.operators.preflight import PreflightOperator
from model_monitor.operators.try_alerts import TryAlertsOperator
from model_monitor.preflight.run import SUBJECTS

DOC = """
### Preflight of {name}

One task for each subject; each logs all that it finds, with what to do about it, and fails if anything is wrong.

* **files**: data sets, label, facets, SHAP baseline and model archive fit together.
* **ground_truth**: the source of labels answers, with labels of the data set.
* **schedule**: windows are whole and leave nothing out.
* **retraining**: the function that trains is there; the archive of an approved model is, too.
* **permissions**: bucket, role, and the calls that the other DAGs make.
* **alerts**: connections and topic of the channels are there. Nobody is told anything.
* **managed_service**: is this account still served by SageMaker's monitors? Makes a job definition, and deletes it.
* **records**: the newest captures and labels can be read, and meet; baselines fit the definition.

With the parameter *Test alerts*, **test_alerts** sends a message through every channel that says that it is a test and
that nothing is wrong; else it is skipped.

The same from a shell, without test messages: `python -m model_monitor check include/endpoints/….yaml`. Next:
`{name}.deploy`.
"""

PARAMS = {
    "test_alerts": Param(
        False,
        type="boolean",
        title="Test alerts",
        description_md="Send a message through every channel of `alerts` that says that it is a test.",
    ),
}


def preflight(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "preflight"),
        description=f"Test the definition of {endpoint.name} against its files and its account",
        doc_md=DOC.format(name=endpoint.name),
        schedule=None,
        params=PARAMS,
    ):
        for subject in SUBJECTS:
            PreflightOperator(task_id=subject, endpoint=endpoint, subject=subject)
        # Another try would send to those once more who have their message.
        TryAlertsOperator(task_id="test_alerts", endpoint=endpoint, when="{{ params.test_alerts }}", retries=0)


for monitored in load_endpoints():
    preflight(monitored)
