"""How to act on a finding: what to look at first, and what usually helps."""

from __future__ import annotations

ACTIONS = {
    "AD": "See whose errors grew, and of which kind: RD and SD tell. Labels that are late or missing for one group "
    "look the same; if they are sound, retrain with that group's recent records.",
    "CDDPL": "Compare acceptance rates within each value of the group variable: where one value carries the gap, look "
    "at its inputs; where all do, go on as for DPPL.",
    "DAR": "Read predicted acceptances that turned out wrong, group by group: check inputs that are missing or out of "
    "range for one group, then retrain; a higher threshold buys precision with recall.",
    "DCA": "Check each group's labels first, their number and delay; if they are sound, scores no longer fit outcomes "
    "in one group: recalibrate or retrain.",
    "DCR": "Check each group's labels first, their number and delay; if they are sound, scores no longer fit outcomes "
    "in one group: recalibrate or retrain.",
    "DI": "Go on as for DPPL. The rule measures from 0, so a DI that falls below 1, which is as unequal, is no "
    "violation: read it beside DPPL.",
    "DPPL": "Compare both groups' rates of predicted acceptances with the baseline's, then the inputs of the group "
    "whose rate moved: mend a broken feed; for a changed population retrain or reweigh, or move the threshold.",
    "DRR": "Read predicted rejections that turned out wrong, group by group: check inputs that are missing or out of "
    "range for one group, then retrain; a lower threshold buys fewer of them with wrong acceptances.",
    "FT": "Compare members of this group with their nearest neighbours who were predicted otherwise: the inputs in "
    "which they differ stand in for the group; question these, replace them and retrain.",
    "GE": "It is about all records, not one group: see whether missed or wrong acceptances grew, check the labels, "
    "then recalibrate or retrain.",
    "RD": "Read the acceptances that were missed, group by group: mend inputs that are missing or out of range for one "
    "group; else add its recent records to the training data, or lower the threshold.",
    "SD": "Read the rejections taken for acceptances, group by group: mend inputs that are missing or out of range for "
    "one group; else add its recent records to the training data, or raise the threshold.",
    "TE": "Count missed and wrong acceptances first: where a group has few, the ratio jumps and can be infinite. Where "
    "there are many, go on as for RD and SD.",
    "CDDL": "Ask how labels are collected for each value of the group variable; where the difference is real, retrain "
    "and make a new baseline.",
    "CI": "See whether one group's requests are missing, because of a client, a region or a feed; where the mix has "
    "changed for good, retrain and make a new baseline.",
    "DPL": "Ask how labels are collected for each group, and how late they come; where the outcomes themselves have "
    "changed, retrain and make a new baseline.",
    "JS": "It grows with DPL: go on as for DPL.",
    "KL": "It grows with DPL, and a rare outcome can move it alone: see which one, then go on as for DPL.",
    "KS": "See which outcome has the largest difference, then go on as for DPL.",
    "LP": "It grows with DPL: go on as for DPL.",
    "TVD": "It grows with DPL: go on as for DPL.",
}
"""By bias metric."""

NDCG_MEANING = (
    "How well today's order of inputs by attribution agrees with the baseline's (normalised discounted gain); "
    "1 means the same order, and the top ranks count most."
)
NDCG_ACTION = (
    "See which inputs moved rank, and whether their feeds are complete and in their usual unit and range. If they are, "
    "the population has changed: see what that does to quality and bias, then retrain and make a new baseline."
)

NOT_CERTAIN_ACTION = "Not certain: wait for the next windows, or judge a longer one, before acting."

FIRST_STEPS = (
    "Count: of few records values jump by chance. How many were there, and do the windows before say the same?",
    "Look at the data before the model: are captures and labels complete, are inputs missing, defaulted, or in another "
    "unit?",
    "Ask what changed when it began: a release, a feed, a campaign, a source of labels.",
    "Only then change the model: retrain, or move its threshold, and make a new baseline with it. A new baseline alone "
    "makes the finding go away, and nothing else.",
)
"""What to do first, whatever the finding."""
