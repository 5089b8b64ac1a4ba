"""Records and reports: what is written down of a contract and a period."""
