"""Facts from outside, one a file: what the world sees of the servers and of the zone.

Each module declares one PROBE. A probe contacts nobody whom the spec's ``probe`` section does not name, changes nothing
anywhere, and never fails a plan: whoever does not answer is a fact that a check judges. One of them (signed_message)
leaves a message where the spec says that it may.
"""
