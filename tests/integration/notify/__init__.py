"""Messages over real sockets."""
