"""How long a test waits for something that must come: it only bounds how long a broken run hangs.

Daemons need a tenth of a second; on two cores with three copies of the journeys side by side some have needed twenty.
"""

PATIENCE = 300.0
"""Seconds."""
