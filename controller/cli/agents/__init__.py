"""`vedette agent`: agents, what they are to do, and what is doubtful about them."""
