"""Everything between this site and its controller."""
