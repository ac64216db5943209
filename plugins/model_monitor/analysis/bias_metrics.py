"""Clarify's bias metrics as functions of counts; the flip test, which needs the rows, is in `flip_test`.

Notation: a is the advantaged, d the disadvantaged group; n their sizes; q the share of positive labels, q' that of
positive predictions. 0/0 counts as 0 and x/0 as infinite. A metric that cannot be computed raises an AnalysisError,
whose text becomes the metric's `error`. Source: developer guide, "Pretraining Data Bias" and "Posttraining Data and
Model Bias"; where guide and published results differ, as in CDDL, `smclarify` 0.5, which the results follow.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from model_monitor.analysis.bias_counts import Counts, Outcomes
from model_monitor.errors import AnalysisError

DESCRIPTIONS = {
    "AD": "Accuracy Difference (AD)",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    "DAR": "Difference in Acceptance Rates (DAR)",
    "DCA": "Difference in Conditional Acceptance (DCA)",
    "DCR": "Difference in Conditional Rejection (DCR)",
    "DI": "Disparate Impact (DI)",
    "DPPL": "Difference in Positive Proportions in Predicted Labels (DPPL)",
    "DRR": "Difference in Rejection Rates (DRR)",
    "FT": "Flip Test (FT)",
    "GE": "Generalized Entropy (GE)",
    "RD": "Recall Difference (RD)",
    "SD": "Specificity Difference (SD)",
    "TE": "Treatment Equality (TE)",
    "CDDL": "Conditional Demographic Disparity in Labels (CDDL)",
    "CI": "Class Imbalance (CI)",
    "DPL": "Difference in Positive Proportions in Labels (DPL)",
    "JS": "Jensen-Shannon Divergence (JS)",
    "KL": "Kullback-Liebler Divergence (KL)",
    "KS": "Kolmogorov-Smirnov Distance (KS)",
    "LP": "L-p Norm (LP)",
    "TVD": "Total Variation Distance (TVD)",
}


def class_imbalance(counts: Counts) -> float:
    """(n_a - n_d) / (n_a + n_d), in [-1, 1]. CI."""
    if counts.advantaged.size == 0:
        raise AnalysisError("CI: negated facet set is empty. Check that x[~facet] has non-zero length.")
    if counts.disadvantaged.size == 0:
        raise AnalysisError("CI: facet set is empty. Check that x[facet] has non-zero length.")
    return (counts.advantaged.size - counts.disadvantaged.size) / counts.size


def positive_proportions_in_labels(counts: Counts) -> float:
    """q_a - q_d, in [-1, 1]. DPL."""
    a, d = _both(counts, "Negative facet set is empty.", "Facet set is empty.")
    return a.positives / a.size - d.positives / d.size


def kullback_leibler(counts: Counts) -> float:
    """Sum of P_a ln(P_a / P_d) over the outcomes that both groups have; negative when one is left out. KL."""
    a, d = _common_outcomes(counts)
    return float(np.sum(a * np.log(a / d)))


def jensen_shannon(counts: Counts) -> float:
    """Half of KL(P_a, P) + KL(P_d, P), P being the mean of both, over the outcomes that both groups have. JS."""
    a, d = _common_outcomes(counts)
    mean = 0.5 * (a + d)
    return 0.5 * float(np.sum(a * np.log(a / mean)) + np.sum(d * np.log(d / mean)))


def l_p_norm(counts: Counts) -> float:
    """Euclidean distance of P_a and P_d, in [0, sqrt 2]. LP."""
    a, d = _common_outcomes(counts)
    return float(np.sqrt(np.sum((a - d) ** 2)))


def total_variation(counts: Counts) -> float:
    """Half the sum of |P_a - P_d|, in [0, 1]. TVD."""
    a, d = _common_outcomes(counts)
    return 0.5 * float(np.sum(np.abs(a - d)))


def kolmogorov_smirnov(counts: Counts) -> float:
    """Largest |P_a - P_d|, in [0, 1]. KS."""
    a, d = _common_outcomes(counts)
    return float(np.max(np.abs(a - d)))


def demographic_disparity_in_labels(counts: Counts) -> float:
    """CDDL: see `_conditional_disparity`, on labels."""
    return _conditional_disparity(None if counts.subgroups is None else counts.subgroups.sum(axis=3))


def demographic_disparity_in_predictions(counts: Counts) -> float:
    """CDDPL: see `_conditional_disparity`, on predicted labels."""
    return _conditional_disparity(None if counts.subgroups is None else counts.subgroups.sum(axis=2))


def positive_proportions_in_predictions(counts: Counts) -> float:
    """q'_a - q'_d, in [-1, 1]. DPPL."""
    a, d = _both(counts, "Negative facet set is empty.", "Facet set is empty.")
    return a.predicted_positives / a.size - d.predicted_positives / d.size


def disparate_impact(counts: Counts) -> float:
    """q'_d / q'_a, in [0, inf]. DI."""
    a, d = _both(counts, "Negated facet set is empty", "Facet set is empty")
    return _ratio(d.predicted_positives / d.size, a.predicted_positives / a.size)


def conditional_acceptance(counts: Counts) -> float:
    """Positive labels per positive prediction, a - d, in [-inf, inf]. DCA."""
    a, d = _both(counts, "DCO: Negated Facet set is empty", "DCO: Facet set is empty", disadvantaged_first=True)
    return _difference(_ratio(a.positives, a.predicted_positives), _ratio(d.positives, d.predicted_positives))


def conditional_rejection(counts: Counts) -> float:
    """Negative labels per negative prediction, d - a, in [-inf, inf]. DCR."""
    a, d = _both(counts, "DCO: Negated Facet set is empty", "DCO: Facet set is empty", disadvantaged_first=True)
    return _difference(_ratio(d.negatives, d.predicted_negatives), _ratio(a.negatives, a.predicted_negatives))


def recall_difference(counts: Counts) -> float:
    """True positive rates, a - d, in [-1, 1]. RD."""
    a, d = _both(counts, "DLA: Negated Facet set is empty", "DLA: Facet set is empty", disadvantaged_first=True)
    return _ratio(a.true_positives, a.positives) - _ratio(d.true_positives, d.positives)


def specificity_difference(counts: Counts) -> float:
    """True negative rates, d - a, in [-1, 1]. SD."""
    a, d = _both(counts, "DLA: Negated Facet set is empty", "DLA: Facet set is empty", disadvantaged_first=True)
    return _ratio(d.true_negatives, d.negatives) - _ratio(a.true_negatives, a.negatives)


def acceptance_rates(counts: Counts) -> float:
    """Shares of true among positive predictions, a - d, in [-1, 1]. DAR."""
    a, d = _both(counts, "DLR: Negated Facet set is empty", "DLR: Facet set is empty", disadvantaged_first=True)
    return _ratio(a.true_positives, a.predicted_positives) - _ratio(d.true_positives, d.predicted_positives)


def rejection_rates(counts: Counts) -> float:
    """Shares of true among negative predictions, d - a, in [-1, 1]. DRR."""
    a, d = _both(counts, "DLR: Negated Facet set is empty", "DLR: Facet set is empty", disadvantaged_first=True)
    return _ratio(d.true_negatives, d.predicted_negatives) - _ratio(a.true_negatives, a.predicted_negatives)


def accuracy_difference(counts: Counts) -> float:
    """Accuracies, a - d, in [-1, 1]. AD."""
    a, d = _both(counts, "Negated Facet set is empty", "Facet set is empty", disadvantaged_first=True)
    return (a.true_positives + a.true_negatives) / a.size - (d.true_positives + d.true_negatives) / d.size


def treatment_equality(counts: Counts) -> float:
    """False negatives per false positive, d - a, in [-inf, inf]. TE."""
    a, d = _both(counts, "Negated Facet set is empty", "Facet set is empty", disadvantaged_first=True)
    return _difference(_ratio(d.false_negatives, d.false_positives), _ratio(a.false_negatives, a.false_positives))


def generalized_entropy(counts: Counts) -> float:
    """Sum of (b / mean b)^2 - 1 over 2N, the benefit b being prediction - label + 1; at least 0. GE with alpha 2."""
    a, d = counts.advantaged, counts.disadvantaged
    neutral = a.true_positives + d.true_positives + a.true_negatives + d.true_negatives
    generous = a.false_positives + d.false_positives
    mean = (neutral + 2 * generous) / counts.size
    if mean == 0:
        raise AnalysisError(
            "All predicted labels are false negatives. "
            "There should be at least one prediction that is not false negative."
        )
    return ((neutral + 4 * generous) / mean**2 - counts.size) / (2 * counts.size)


PRE_TRAINING: dict[str, Callable[[Counts], float]] = {
    "CDDL": demographic_disparity_in_labels,
    "CI": class_imbalance,
    "DPL": positive_proportions_in_labels,
    "JS": jensen_shannon,
    "KL": kullback_leibler,
    "KS": kolmogorov_smirnov,
    "LP": l_p_norm,
    "TVD": total_variation,
}

POST_TRAINING: dict[str, Callable[[Counts], float]] = {
    "AD": accuracy_difference,
    "CDDPL": demographic_disparity_in_predictions,
    "DAR": acceptance_rates,
    "DCA": conditional_acceptance,
    "DCR": conditional_rejection,
    "DI": disparate_impact,
    "DPPL": positive_proportions_in_predictions,
    "DRR": rejection_rates,
    "GE": generalized_entropy,
    "RD": recall_difference,
    "SD": specificity_difference,
    "TE": treatment_equality,
}


def _both(
    counts: Counts, no_advantaged: str, no_disadvantaged: str, disadvantaged_first: bool = False
) -> tuple[Outcomes, Outcomes]:
    missing = []
    if counts.advantaged.size == 0:
        missing.append(no_advantaged)
    if counts.disadvantaged.size == 0:
        missing.insert(0 if disadvantaged_first else len(missing), no_disadvantaged)
    if missing:
        raise AnalysisError(missing[0])
    return counts.advantaged, counts.disadvantaged


def _common_outcomes(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Shares of negative and positive labels in both groups; an outcome that one of them lacks is left out of both."""
    a = np.array([counts.advantaged.negatives, counts.advantaged.positives], dtype=float)
    d = np.array([counts.disadvantaged.negatives, counts.disadvantaged.positives], dtype=float)
    common = (a > 0) & (d > 0)
    if not common.any():
        raise AnalysisError("No instance of common facet found, dataset may be too small")
    return a[common] / a.sum(), d[common] / d.sum()


def _conditional_disparity(subgroups: np.ndarray | None) -> float:
    """Mean over subgroups, weighted by size, of d's share among the rejected less d's share among the accepted.

    `subgroups` (g, 2, 2) holds rows by subgroup, disadvantaged and accepted.
    """
    if subgroups is None or subgroups.size == 0:
        raise AnalysisError("Group variable is empty or not provided")
    rejected, accepted = subgroups[:, :, 0], subgroups[:, :, 1]
    if accepted.sum() == 0:
        raise AnalysisError("No positive labels in set")
    if rejected.sum() == 0:
        raise AnalysisError("No negative labels in set")
    sizes = subgroups.sum(axis=(1, 2))
    disparity = _disadvantaged_share(rejected) - _disadvantaged_share(accepted)
    return float(np.sum(sizes * disparity) / np.sum(sizes))


def _disadvantaged_share(rows: np.ndarray) -> np.ndarray:
    total = rows.sum(axis=1)
    share = np.zeros(len(rows))
    np.divide(rows[:, 1], total, out=share, where=total != 0)
    return share


def _ratio(part: float, whole: float) -> float:
    if whole == 0:
        return 0.0 if part == 0 else math.copysign(math.inf, part)
    return part / whole


def _difference(minuend: float, subtrahend: float) -> float:
    return 0.0 if minuend == subtrahend else minuend - subtrahend
