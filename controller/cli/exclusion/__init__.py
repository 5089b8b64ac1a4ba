"""`vedette exclusion`."""
