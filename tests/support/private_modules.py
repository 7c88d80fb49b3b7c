"""A contract of import-linter: a module whose name begins with an underscore is its package's own furniture."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class PrivateModules(Contract):
    """No module outside a package imports its private ones; what lies inside of a private package is private too."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Every direct import into a private module comes from its package or from below it."""
        broken = sorted(
            (importer, imported)
            for imported in graph.modules
            if (owner := owner_of(imported)) is not None
            for importer in graph.find_modules_that_directly_import(imported)
            if not f"{importer}.".startswith(f"{owner}.")
        )
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """A line for each import."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"- {importer} -> {imported}: give the module a public name, or move what is wanted")


def owner_of(module: str) -> str | None:
    """The package that a private module belongs to; None for a public one."""
    parts = module.split(".")
    private = (index for index, part in enumerate(parts) if part.startswith("_") and not part.startswith("__"))
    first = next(private, None)
    return None if first is None else ".".join(parts[:first])
