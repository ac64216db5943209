"""What metrics and verdicts mean, in one sentence for the report's reader."""

from __future__ import annotations

from model_monitor.analysis.interval_rule import NOT_CERTAIN, OK, VIOLATION

MEANINGS = {
    "AD": "How much more often the model is right about the other group.",
    "CDDPL": "Whether this group has a larger share of the predicted rejections than of the predicted acceptances, "
    "within the groups of the group variable.",
    "DAR": "How much more often a predicted acceptance is right for the other group (precision).",
    "DCA": "Whether the groups differ in how many acceptances they have per predicted acceptance.",
    "DCR": "Whether the groups differ in how many rejections they have per predicted rejection.",
    "DI": "This group's rate of predicted acceptances, divided by the other group's; 1 means equal.",
    "DPPL": "How much higher the rate of predicted acceptances is for the other group.",
    "DRR": "How much more often a predicted rejection is right for this group.",
    "FT": "Whether members of this group get other predictions than their nearest neighbours in the other group.",
    "GE": "How unequally the benefits of right and wrong predictions are spread over all records; 0 means equally.",
    "RD": "How much more of the other group's acceptances the model finds (recall).",
    "SD": "How much more of this group's rejections the model finds (specificity).",
    "TE": "Whether the two groups differ in missed acceptances per wrong acceptance.",
    "CDDL": "Whether this group has a larger share of the rejections than of the acceptances in the data, within the "
    "groups of the group variable.",
    "CI": "How many more records the other group has, as a share of all.",
    "DPL": "How much higher the rate of acceptances in the data is for the other group.",
    "JS": "How far the two groups' distributions of labels lie from their mean (entropy).",
    "KL": "How far this group's distribution of labels lies from the other group's (entropy).",
    "KS": "The largest difference between the two groups' shares of any one label.",
    "LP": "The distance between the two groups' distributions of labels (Euclidean).",
    "TVD": "The distance between the two groups' distributions of labels (half the sum of differences).",
}

SECTION_TITLES = {
    "post_training_bias_metrics": "Bias of the model's predictions",
    "pre_training_bias_metrics": "Bias of the data",
}

ORDER_FINDINGS = {
    VIOLATION: ("bad", "the order of inputs has drifted from the baseline's"),
    NOT_CERTAIN: ("", "the order of inputs may have drifted from the baseline's, but this is not certain"),
    OK: ("good", "the inputs' order is the baseline's or close to it"),
}
"""What the NDCG says, by verdict: how the page marks it, and in words."""
