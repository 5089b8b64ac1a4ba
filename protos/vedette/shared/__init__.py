"""What both sides must compute alike. Pure: no I/O, no clock, no randomness."""
