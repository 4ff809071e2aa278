"""Repaired rows on their way back: from a quarantine table through the model again, once each."""
