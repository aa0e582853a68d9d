"""Records as core sends them: an event document validated, its pending action, its state after each action.

Pure functions: nothing here reads, writes, or calls out.
"""
