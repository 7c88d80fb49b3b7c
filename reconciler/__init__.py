"""Move a mail domain between servers by reconciling towards a declared state.

Data flows one way::

    YAML --spec.load--> Spec --engine.desire--> what should be, stage by stage --+
                                                                                 +--engine.layers--> changes
    old, new, dns --engine.observe--> what is -----------------------------------+          |
                                                                                       engine.order
    checks judge Facts (what is, what will be, the TTL clock) --engine.judge--> verdicts    |
                                                                                   |        |
    people read it (render) and say yes (cli) <------------------------- Plan of steps <----+
                                                                               |
    journal <-- every value, before and after <-- engine.apply --> Stores of the backends

One state type serves both sides: desired and observed are the same frozen resources in normal form, and equality
decides. What the spec does not name is not in the desired state at all, so no change can touch it; inside of what it
names, each kind's ``merge`` keeps other people's part.

A stage is nothing but another desired state. ``engine.layers`` reads from the values themselves where each address
stands, and leads it through every stage in between. Going on, going back and repairing are the same act; rollback alone
looks into the journal, and walks the same way back.

The rooms: ``model`` values; ``ports`` what the engine asks of the outside; ``extend`` how the project grows; ``spec``
the YAML; ``resources`` WHAT; ``checks`` WHEN; ``backends`` WHERE; ``engine`` decides and carries out; ``journal`` what
the world cannot tell; ``render`` and ``cli`` speak to people. Imports point down only; the contracts are in
pyproject.toml.
"""
