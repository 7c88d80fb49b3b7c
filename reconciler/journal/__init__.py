"""What the world cannot tell: runs and their steps, what stood before, which name server served what since when.

One database, by default one SQLite file beside the spec; the ledger of the mail copy is a file of its own.
``open``, ``view`` and the ledger cost nothing to import; everything else here brings SQLAlchemy with it, and no other
package of the project does.
"""
