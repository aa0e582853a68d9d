"""SMS: one provider, one file."""
