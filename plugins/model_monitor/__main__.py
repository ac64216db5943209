"""`python -m model_monitor`."""

from __future__ import annotations

import sys

from model_monitor.cli import main

sys.exit(main())
