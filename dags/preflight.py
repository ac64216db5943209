"""`<endpoint>.preflight`: the definition is tested against reality before anything costs money."""

from __future__ import annotations

from airflow.sdk import DAG

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_settings import settings
from model_monitor.operators.preflight import PreflightOperator
from model_monitor.preflight.run import SUBJECTS

DOC = """
### Preflight of {name}

One task for each subject; each logs all that it finds, with what to do about it, and fails if anything is wrong.

* **files**: data sets, label, facets, SHAP baseline and model archive fit together.
* **ground_truth**: the source of labels answers, with labels of the data set.
* **schedule**: windows are whole and leave nothing out.
* **retraining**: the function that trains is there; the archive of an approved model is, too.
* **permissions**: bucket, role, and the calls that the other DAGs make.
* **managed_service**: is this account still served by SageMaker's monitors? Makes a job definition, and deletes it.
* **records**: the newest captures and labels can be read, and meet; baselines fit the definition.

The same from a shell: `python -m model_monitor check include/endpoints/….yaml`. Next: `{name}.deploy`.
"""


def preflight(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "preflight"),
        description=f"Test the definition of {endpoint.name} against its files and its account",
        doc_md=DOC.format(name=endpoint.name),
        schedule=None,
    ):
        for subject in SUBJECTS:
            PreflightOperator(task_id=subject, endpoint=endpoint, subject=subject)


for monitored in load_endpoints():
    preflight(monitored)
