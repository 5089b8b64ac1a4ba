"""Incidents: outages that belong together, as they are kept for people."""
