"""What runs, put together from its parts."""
