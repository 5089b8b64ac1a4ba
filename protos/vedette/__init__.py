"""The contract between agents and controllers."""
