"""What the paper of a bundle is made from: its small files, and what the seals of its streams come to."""
