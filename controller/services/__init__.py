"""Use cases: load, compute, save; one transaction each."""
