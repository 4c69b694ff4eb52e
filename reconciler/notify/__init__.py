"""Tells others of drift: one delivery to a webhook, and where it may go."""
