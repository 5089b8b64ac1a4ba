"""`vedette sla`: attainment of contracts, and reports on it."""
