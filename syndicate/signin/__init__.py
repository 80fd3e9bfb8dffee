"""Signing in at networks: the vault that keeps tokens, the flow that gets them, and what renews them in time."""
