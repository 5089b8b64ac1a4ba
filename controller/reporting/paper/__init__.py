"""The paper of a bundle of evidence: for people, made from the bundle and from nothing else."""
