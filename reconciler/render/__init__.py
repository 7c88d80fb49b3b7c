"""Plans for people and machines: one format a module.

``phrases`` holds what several formats say alike: ``sections`` (the order in which a plan is read), ``naming`` (what a
thing is called), ``changes`` and ``records`` (what changes about it), ``verdicts`` (whether it runs) and ``closing``
(what is next).
"""
