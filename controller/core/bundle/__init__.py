"""An evidence bundle: what stands in it, and what can be said of it without trusting who made it."""
