"""The steps of a monitored endpoint's life, one operator each."""
