"""What people are told, and whether it reached them: deliveries of outage events to the channels of the fleet."""
