"""Attainment: what a contract says, what of a timeline counts under it, and what that comes to."""
