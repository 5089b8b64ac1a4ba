"""The vedette command, one module a noun."""
