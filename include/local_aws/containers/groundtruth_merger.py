"""The ground-truth merger image: `python -m local_aws.containers.groundtruth_merger`, with `OPT_ML_ROOT` as its "/"."""

from __future__ import annotations

import sys

from local_aws.containers.job_container import exit_with_parent, log_to_stdout, root, variables
from model_monitor.analysis import merge


def main() -> int:
    """Run the merge; the exit code is the job's."""
    exit_with_parent()
    log_to_stdout()
    folder = root()
    return merge.run(folder, variables(folder))


if __name__ == "__main__":
    sys.exit(main())
