"""WHEN: the conditions, one a file. Each module declares one CHECK, which judges facts and touches nothing.

What several of them read in the same way (a zone, the caches, where mail is sent on) is in ``analysis``; how people are
told lists and times is in ``wording``.
"""
