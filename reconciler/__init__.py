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
    journal <-- every value, before and after <-- engine.apply --> Stores of the products

One state type serves both sides: desired and observed are the same frozen resources in normal form, and equality
decides. What the spec does not name is not in the desired state at all, so no change can touch it; inside of what it
names, each kind's ``merge`` keeps other people's part.

A stage is nothing but another desired state. ``engine.layers`` reads from the values themselves where each address
stands, and leads it through every stage in between. Going on, going back and repairing are the same act; rollback alone
looks into the journal, and walks the same way back.

The rooms: ``model`` values; ``ports`` what the engine asks of the outside; ``extend`` how the project grows; ``spec``
the YAML; ``formats`` texts that servers keep; ``transports`` how a machine is reached; ``resources`` WHAT; ``checks``
WHEN; ``probes`` facts from outside; ``analysis`` what these and the planner share; ``stores`` and ``products`` WHERE;
``mailcopy`` the copier; ``engine`` decides and carries out; ``journal`` what the world cannot tell; ``app`` use cases
without a terminal; ``render``, ``wording`` and ``cli`` speak to people. Imports point down only; the contracts are in
pyproject.toml.
"""
