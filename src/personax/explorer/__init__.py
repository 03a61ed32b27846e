"""The explorer: a study looked at in the browser of this machine, without anything in it being written.

A map, each line using the ones above it:

- ``_people_filter``: conditions on columns of people, as a page's form sends them
- ``_explored_study``: people a page at a time, one person with origins and replies, the latents
- ``_single_test``: one test of Level I on two or three columns, with its picture
- ``_access_guard``: who may ask: this machine, with the token, by GET
- ``_application``: the pages, with the templates and the style of the report; ``_server``: 127.0.0.1, one port

Starlette and uvicorn (extra ``explore``) are imported when the pages are made.
"""

from __future__ import annotations

from personax.explorer._access_guard import AccessGuard
from personax.explorer._application import make_application
from personax.explorer._explored_study import ExploredStudy
from personax.explorer._server import listening_socket, serve
from personax.explorer._single_test import AskedTest, SingleTest, run_single_test

__all__ = [
    "AccessGuard",
    "AskedTest",
    "ExploredStudy",
    "SingleTest",
    "listening_socket",
    "make_application",
    "run_single_test",
    "serve",
]
