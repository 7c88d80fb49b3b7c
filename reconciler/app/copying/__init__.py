"""Passes of the mail copy, as a spec asks for them: orders, ends, one pass, its outcome, and the steps of a plan."""
