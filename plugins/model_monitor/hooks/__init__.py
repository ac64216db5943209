"""Every AWS verb that the operators need."""
