"""`vedette claim`: claims for credits, and their packs."""
