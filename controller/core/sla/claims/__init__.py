"""Claims for credits, and their deadlines."""
