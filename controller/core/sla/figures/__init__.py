"""What of a timeline counts under a contract, and what that comes to."""
