"""The path of a folder, and how it is written in a spec and shown to people."""

Path = tuple[str, ...]
"""The names from the top of the user's tree to the folder: ``("Projects", "Größe & Maße")``."""


def title(path: Path) -> str:
    """Names joined by slashes; a slash or backslash inside a name has a backslash before it."""
    return "/".join(name.replace("\\", "\\\\").replace("/", "\\/") for name in path)


def from_title(text: str) -> Path:
    """The inverse of ``title``.

    Raises:
        ValueError: a name between the slashes is empty.

    """
    names, name, escaped = [], "", False
    for character in text:
        if escaped:
            name, escaped = name + character, False
        elif character == "\\":
            escaped = True
        elif character == "/":
            names.append(name)
            name = ""
        else:
            name += character
    path = (*names, name)
    if not all(path):
        msg = f"{text!r} is not a folder: a name between its slashes is empty"
        raise ValueError(msg)
    return path
