"""Outages and incidents: recorded, told apart, explained."""
