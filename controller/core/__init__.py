"""Pure, in data order: labels, quorum, timeline, outages, contracts, attainment."""
