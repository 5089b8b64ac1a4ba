"""What figures are worth: credits, costs and rights, exactly."""
