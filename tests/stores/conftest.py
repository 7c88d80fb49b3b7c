from tests.support.server_files import world

__all__ = ["world"]
