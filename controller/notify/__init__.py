"""How messages leave: signed webhooks, and apprise in a process of its own."""
