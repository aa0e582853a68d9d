"""Receipts: what providers tell us later of a message that they took. One provider, one file."""
