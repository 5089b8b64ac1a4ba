"""The agent: definition, schedule, probe, line, spool, stream."""
