"""`make bench-agent`: what a check costs the agent, and how exactly it measures."""
