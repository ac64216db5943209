"""What operators have in common whose lineage is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_monitor.lineage.values import Flow

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


class Traced:
    """Mixed into operators; OpenLineage's provider, where there is one, asks when a task has succeeded or failed."""

    def flow(self) -> Flow:
        """What the task has read and written so far."""
        raise NotImplementedError

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage:
        """The provider calls this in a process of its own; what it raises goes to the log and no farther."""
        from model_monitor.lineage.facets import operator_lineage

        return operator_lineage(self.flow())
