"""Desire, diff, order, plan, judge and roll back (pure); observe and apply (through ports only)."""
