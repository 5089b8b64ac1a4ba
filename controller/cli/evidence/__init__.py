"""`vedette evidence` and `vedette verify`: what the other side can check."""
