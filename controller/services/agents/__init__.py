"""Agents: how they get in, what they have to do, and how they are."""
