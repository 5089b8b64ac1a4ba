"""What people are told of a contract, and when."""
