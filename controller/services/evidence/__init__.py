"""What the other side can check: seals, the log, and who vouches for it."""
