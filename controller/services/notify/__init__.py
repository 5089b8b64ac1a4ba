"""Telling people: from events to messages, and their way."""
