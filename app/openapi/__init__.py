"""The description of all that can be called, for programs and for people."""
