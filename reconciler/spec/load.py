"""Load a spec: from a path to a sound Spec, or to every problem that it has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.errors import NameInvalid, Problem, SpecError
from reconciler.model.name import domain_name, mail_address
from reconciler.spec.mailbox_csv import Listed, read_mailboxes
from reconciler.spec.meaning import Complaint, complaints
from reconciler.spec.spec import Spec
from reconciler.spec.text_file import read_text
from reconciler.spec.wording import faults, suggestion
from reconciler.spec.yaml_document import compose
from reconciler.spec.yaml_positions import Loc, Positions
from reconciler.spec.yaml_values import Value, ValueReader

OptionModels = Mapping[str, type[BaseModel]]
"""The names of a family's backends, each with the model of its options."""


def load(path: Path, server_options: OptionModels | None = None, dns_options: OptionModels | None = None) -> Spec:
    """The spec in a file, its CSV of mailboxes included. Without option models, ``options`` are taken as they stand.

    Raises:
        SpecError: with every problem found, each with file, line and column. Nothing was contacted.

    """
    return _Loading(path).spec({"old": server_options, "new": server_options, "dns": dns_options})


M = TypeVar("M", bound=BaseModel)


class _Loading:
    """One file on its way; ``problems`` grows, and only at the end is it an error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        root = compose(read_text(path), path)
        reader = ValueReader()
        self._value = reader.read(root)
        self._positions = Positions(root)
        self._problems = [
            Problem(str(path), node.start_mark.line + 1, node.start_mark.column + 1, message)
            for node, message in reader.problems
        ]
        self._listed = Listed((), ())
        self._spellings: dict[str, dict[str, str]] = {}

    def spec(self, options: Mapping[str, OptionModels | None]) -> Spec:
        spec = self._validated(Spec, self._value, ())
        if isinstance(self._value, dict):
            for place, models in options.items():
                if models is not None:
                    self._check_options(self._value.get(place), place, models)
            self._find_merged_keys(self._value)
            self._read_mailboxes(self._value.get("mailboxes_from"))
        if spec and not self._problems:
            written = len(spec.mailboxes)
            spec = spec.model_copy(update={"mailboxes": (*spec.mailboxes, *self._listed.mailboxes)})
            self._problems += [self._complained(complaint, written) for complaint in complaints(spec)]
        if self._problems or spec is None:
            raise SpecError(*self._problems)
        return spec

    def _validated(self, model: type[M], value: object, prefix: Loc) -> M | None:
        """The model, or its errors among the problems; the error itself holds the inputs and goes no further."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            errors: list[Any] = error.errors(include_url=False, include_input=False)
        for fault in faults(errors, model):
            loc = (*prefix, *fault.loc)
            nothing = not fault.on_key and self._positions.find(loc).empty
            self._add(loc, f"{fault.message}, found nothing" if nothing else fault.message, key=fault.on_key)
        return None

    def _check_options(self, section: Value, place: str, models: OptionModels) -> None:
        name = section.get("backend") if isinstance(section, dict) else None
        if not isinstance(section, dict) or not isinstance(name, str):
            return  # the spec's own model has said so
        options = section.get("options", {})
        if name not in models:
            self._add((place, "backend"), f"no backend is called {suggestion(name, sorted(models))}")
        elif isinstance(options, dict):
            self._validated(models[name], options, (place, "options"))

    def _find_merged_keys(self, value: dict[str, Value]) -> None:
        """Two keys that are one in normal form: of ``Info@`` and ``info@`` one would silently be lost."""
        for section, normal in (("aliases", mail_address), ("hosts", domain_name)):
            entries = value.get(section)
            first: dict[str, str] = {}
            for key in entries if isinstance(entries, dict) else ():
                try:
                    standing = first.setdefault(normal(key), key)
                except NameInvalid:
                    continue  # the spec's own model has said so
                if standing != key:
                    line = self._positions.find((section, standing), key=True).line
                    self._add((section, key), f"'{key}' stands twice; first as '{standing}' on line {line}", key=True)

    def _read_mailboxes(self, named: Value) -> None:
        if not isinstance(named, str):
            return
        try:
            self._listed = read_mailboxes(named, self._path.parent)
        except SpecError as error:
            for problem in error.problems:
                if problem.line:
                    self._problems.append(problem)
                else:
                    self._add(("mailboxes_from",), f"{problem.file} {problem.message}")

    def _complained(self, complaint: Complaint, written: int) -> Problem:
        file, line, column = self._place(complaint.loc, written)
        message = complaint.message
        if complaint.other:
            message += f" (the other: {':'.join(map(str, self._place(complaint.other, written)))})"
        return Problem(file, line, column, message)

    def _place(self, loc: Loc, written: int) -> tuple[str, int, int]:
        """File, line and column; mailboxes beyond the ``written`` ones are rows of the CSV file."""
        match loc:
            case ("mailboxes", int(index), *_) if index >= written:
                listed = self._path.parent / str(self._value["mailboxes_from"])  # type: ignore[index,call-overload]
                return str(listed), self._listed.lines[index - written], 1
            case ("aliases" | "hosts" as section, str(name), *rest):
                spot = self._positions.find((section, self._spelling(section).get(name, name), *rest), key=not rest)
                return str(self._path), spot.line, spot.column
            case _:
                spot = self._positions.find(loc)
                return str(self._path), spot.line, spot.column

    def _spelling(self, section: str) -> dict[str, str]:
        """The aliases or hosts in normal form, each with its spelling in the file."""
        if section not in self._spellings:
            normal = mail_address if section == "aliases" else domain_name
            entries = self._value.get(section) if isinstance(self._value, dict) else None
            keys = entries if isinstance(entries, dict) else ()
            self._spellings[section] = {normal(key): key for key in keys}
        return self._spellings[section]

    def _add(self, loc: Loc, message: str, *, key: bool = False) -> None:
        spot = self._positions.find(loc, key=key)
        self._problems.append(Problem(str(self._path), spot.line, spot.column, message))
