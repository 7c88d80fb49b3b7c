"""Texts that mail and DNS servers keep: text in, values out, and back. No I/O."""
