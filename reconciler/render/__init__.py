"""Plans for people and machines: one format a module.

Modules whose name begins with an underscore are shared by several formats: ``_sections`` (the order in which a plan is
read), ``_naming`` (what a thing is called), ``_words`` and ``_record_words`` (what changes about it), ``_verdicts``
(whether it runs), ``_times`` (when), ``_closing`` (what is next) and ``_style`` (colour).
"""
