"""The explorer's server: one port of 127.0.0.1."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING

from personax.errors import InputError, require

if TYPE_CHECKING:
    from personax.explorer._access_guard import AccessGuard

__all__ = ["listening_socket", "serve"]

ADDRESS = "127.0.0.1"


def listening_socket(port: int = 0) -> socket.socket:
    """Return a socket that listens on a port of this machine alone; 0 is any that is free.

    Raises
    ------
    InputError
        The port is in use, or not to be had.

    Examples
    --------
    >>> with listening_socket() as free:
    ...     free.getsockname()[0]
    '127.0.0.1'
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, port))
        made.listen(128)
    except (OSError, OverflowError) as error:
        made.close()
        why = getattr(error, "strerror", None) or error
        raise InputError(f"port {port} of {ADDRESS} cannot be had ({why}); give another one by --port") from None
    return made


def serve(application: AccessGuard, listening: socket.socket) -> None:
    """Answer requests until Ctrl-C; addresses are not logged, as ids of people stand in them.

    Parameters
    ----------
    application
        The pages behind their guard.
    listening
        From `listening_socket`.
    """
    uvicorn = require("uvicorn", extra="explore")
    config = uvicorn.Config(application, log_level="warning", access_log=False, server_header=False, lifespan="off",
                            timeout_graceful_shutdown=2, ws="none", proxy_headers=False)  # fmt: skip
    server = uvicorn.Server(config)
    # it would raise a signal once more after its end, which counts as the second Ctrl-C of an impatient user
    server.capture_signals = nullcontext
    server.run(sockets=[listening])
