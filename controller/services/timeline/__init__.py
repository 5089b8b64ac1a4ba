"""From evidence to verdicts, as results come and when they come late."""
