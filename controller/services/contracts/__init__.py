"""Contracts at work: their figures, reports, exclusions and claims."""
