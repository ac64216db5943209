"""Telling people of verdicts: what is worth a message, in which words, through which channels."""
