"""Whose controller, whose token, and who did what."""
