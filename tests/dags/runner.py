"""Runs the DAGs that its standard input names, in an Airflow of its own: `python tests/dags/runner.py DAGS`.

Each line of input is a DAG's id and its form in JSON; the answer is a line of JSON with the run's state, its tasks'
states and what it told of its assets.
"""

from __future__ import annotations

import json
import os
import sys

from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.taskinstance import TaskInstance
from airflow.settings import Session
from airflow.utils.db import initdb
from sqlalchemy import select


def main(dags: str) -> None:
    """Answer until the input ends; Airflow's log, which goes to the standard output, goes to that of errors."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    initdb()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        dag_id, form = line.split(maxsplit=1)
        # As a task's process does; a form would stay in the DAG's params otherwise.
        bag = DagBag(dags, known_pools=None)
        assert not bag.import_errors, bag.import_errors
        run = bag.dags[dag_id].test(run_conf=json.loads(form))
        with Session() as session:
            tasks = session.scalars(select(TaskInstance).where(TaskInstance.run_id == run.run_id))
            events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
            answer = {
                "state": str(run.state),
                "tasks": {task.task_id: str(task.state) for task in tasks},
                "events": [event.extra for event in events],
            }
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
