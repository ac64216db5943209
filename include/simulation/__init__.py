"""A week of the example endpoint in a few minutes: its traffic, its monitors, and what goes wrong on the fifth day."""
