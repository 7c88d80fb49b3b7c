"""How the judge sees both sides for itself: a survey, a lexer and a reading of its own.

It shares the login and the transport with the copier, and the mapping of folders, which is a pure function. It takes
nothing that the copier has read: what that overlooks would be overlooked twice (tests/mailcopy/judge/
test_independence.py). It asks for one thing after another and hears each answer before it goes on.
"""
