"""What the controller's parts ask of each other, one noun a module. app.py alone knows the concrete classes."""
