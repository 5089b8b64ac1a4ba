"""What else can be seen at the moment of a failure: the way there, a second opinion, what answered."""
