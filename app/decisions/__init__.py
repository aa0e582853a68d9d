"""What the country answers when core asks about an action."""
