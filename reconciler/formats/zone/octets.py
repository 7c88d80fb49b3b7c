"""A zone file's octets as text, and back without loss."""


def decoded(content: bytes) -> str:
    """Text that ``encoded`` turns back into the same octets, whatever they are."""
    return content.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """The octets of a text."""
    return text.encode("utf-8", "surrogateescape")


def plain(text: str) -> str:
    r"""Every octet outside ASCII as ``\DDD``, which is how name servers take it (RFC 1035, section 5.1)."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else "".join(f"\\{octet:03d}" for octet in encoded(c)) for c in text)
