"""A month of regions, agents, networks and targets in virtual time, judged by the real rules."""
