"""A definition tested against reality before anything costs money: its files, its labels, its account, its captures.

Checks are generators of findings; those of `run.OFFLINE` need only this machine, those of `run.ONLINE` an account.
"""
