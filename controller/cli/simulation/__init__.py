"""`vedette simulate`: rules of deciding where the truth is known."""
