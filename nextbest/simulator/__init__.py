"""A seeded bank that writes landing files and, beside them, the true state they describe.

The formats it writes are documented in docs/feeds.md. Nothing but the command line uses it.
"""
