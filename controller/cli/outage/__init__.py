"""`vedette outage`: outages, what decided them, and what was said of them."""
