"""A long run with real processes that are killed all the time."""
