"""What messages look like, from their files as they are at that moment."""
