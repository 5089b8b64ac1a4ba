"""Pure: what to run when, and what an observation means."""
