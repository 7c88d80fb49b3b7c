"""When a change may be made: conditions that judge facts and touch nothing, one a file.

Modules whose name begins with an underscore are shared by several checks: ``_gates`` (which changes are meant),
``_words`` (how people are told), ``_zone`` (what a zone says of a name), ``_routing`` (what the cutover turns),
``_caches`` (until when caches remember), ``_delivery`` (where a server sends an address on), ``_tags`` (tag lists).
"""
