"""Flows as OpenLineage has them. Imported only where its provider asks."""

from __future__ import annotations

from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    RunFacet,
    base_subset_dataset,
    data_quality_assertions_dataset,
    dataset_type_dataset,
    external_query_run,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
    tags_run,
)

from model_monitor.lineage.values import Check, Data, Flow, identity

SOURCE = "model_monitor"


def operator_lineage(flow: Flow) -> OperatorLineage:
    """What the provider puts into a task's event."""
    return OperatorLineage(
        inputs=[input_dataset(data) for data in flow.inputs],
        outputs=[output_dataset(data) for data in flow.outputs],
        run_facets=run_facets(flow),
    )


def input_dataset(data: Data) -> InputDataset:
    """A data set that was read."""
    facets: dict[str, InputDatasetFacet] = {}
    if _counted(data):
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=data.rows, size=data.size, fileCount=data.files
        )
    if data.parts:
        facets["subset"] = base_subset_dataset.InputSubsetInputDatasetFacet(inputCondition=_located(data))
    if data.checks:
        facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=[_assertion(check) for check in data.checks]
        )
    namespace, name = identity(data.uri)
    return InputDataset(namespace=namespace, name=name, facets=_facets(data), inputFacets=facets)


def output_dataset(data: Data) -> OutputDataset:
    """A data set that was written."""
    facets: dict[str, OutputDatasetFacet] = {}
    if _counted(data):
        facets["outputStatistics"] = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=data.rows, size=data.size, fileCount=data.files
        )
    if data.parts:
        facets["subset"] = base_subset_dataset.OutputSubsetOutputDatasetFacet(outputCondition=_located(data))
    namespace, name = identity(data.uri)
    return OutputDataset(namespace=namespace, name=name, facets=_facets(data), outputFacets=facets)


def run_facets(flow: Flow) -> dict[str, RunFacet]:
    """What is told of the run itself."""
    facets: dict[str, RunFacet] = {}
    if flow.tags:
        facets["tags"] = tags_run.TagsRunFacet(
            tags=[tags_run.TagsRunFacetFields(key, value, SOURCE) for key, value in flow.tags.items()]
        )
    if flow.job is not None:
        facets["externalQuery"] = external_query_run.ExternalQueryRunFacet(flow.job, source="sagemaker")
    return facets


def _facets(data: Data) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {"datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(data.type)}
    if data.columns:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            fields=[schema_dataset.SchemaDatasetFacetFields(name=column) for column in data.columns]
        )
    return facets


def _counted(data: Data) -> bool:
    return (data.rows, data.size, data.files) != (None, None, None)


def _located(data: Data) -> base_subset_dataset.LocationSubsetCondition:
    return base_subset_dataset.LocationSubsetCondition(locations=list(data.parts))


def _assertion(check: Check) -> data_quality_assertions_dataset.Assertion:
    return data_quality_assertions_dataset.Assertion(
        assertion=check.kind,
        success=check.success,
        column=check.column,
        name=check.name,
        description=check.description,
        expected=check.expected,
        actual=check.actual,
    )
