"""A hub on this machine: the few requests of the Hugging Face hub that pushing and reading a data set make."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_the_only_token"


@dataclass
class Repo:
    private: bool
    gated: object = False
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b"* text\n"})
    commits: int = 1

    @property
    def sha(self) -> str:
        return hashlib.sha1(str(self.commits).encode()).hexdigest()


@dataclass
class Hub:
    """What the server holds and was asked; ``refuse`` makes it answer requests whose path holds the text so."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refuse: dict[str, int] = field(default_factory=dict)
    large: tuple[str, ...] = (".parquet",)
    always_public: bool = False


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def _send(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        for part, status in self.hub.refuse.items():
            if part in path:
                self._send(status, {"error": f"no: {self.headers.get('Authorization', '')}"})
                return
        may = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if self.command == "PUT" and path.startswith("/lfs/"):
            assert hashlib.sha256(body).hexdigest() == path.removeprefix("/lfs/")
            self.hub.blobs[path.removeprefix("/lfs/")] = body
            self._send(200)
        elif path == "/api/validate-yaml":
            self._send(200, {"warnings": []})
        elif path == "/api/repos/create":
            self._create(json.loads(body), may)
        else:
            self._of_repo(path.removeprefix("/api").removeprefix("/datasets/"), body, may)

    def _create(self, asked: dict[str, Any], may: bool) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        if not may or asked["type"] != "dataset":
            self._send(403, {"error": "may not"})
        elif name in self.hub.repos:
            self._send(409, {"error": "exists"})
        else:
            self.hub.repos[name] = Repo(asked.get("visibility") == "private" and not self.hub.always_public)
            self._send(200, {"url": f"{self.hub.url}/datasets/{name}"})

    def _of_repo(self, path: str, body: bytes, may: bool) -> None:
        owner, name, *rest = path.split("/")
        repo = self.hub.repos.get(f"{owner}/{name.removesuffix('.git')}")
        if repo is None or (repo.private and not may):
            self._send(404, {"error": "not found"}, {"X-Error-Code": "RepoNotFound"})
        elif repo.gated and not may and rest[:1] == ["resolve"]:
            self._send(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        elif not rest or rest[0] == "revision":
            self._info(path, repo, rest)
        elif rest[0] == "settings":
            repo.gated = json.loads(body)["gated"]
            self._send(200, {})
        elif rest[0] == "preupload":
            files = [
                {"path": file["path"], "uploadMode": self._mode(file["path"]), "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self._send(200, {"files": files})
        elif rest[:2] == ["info", "lfs"]:
            objects = [
                one | {"actions": {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self._send(200, {"objects": objects, "transfer": "basic"})
        elif rest[0] == "commit":
            self._commit(repo, body, f"{owner}/{name}")
        elif rest[0] == "tree":
            self._send(200, [self._entry(file, data) for file, data in repo.files.items()])
        elif rest[0] == "resolve":
            self._resolve(repo, "/".join(rest[2:]))

    def _mode(self, name: str) -> str:
        return "lfs" if name.endswith(self.hub.large) else "regular"

    def _info(self, path: str, repo: Repo, rest: list[str]) -> None:
        if rest and rest[1] not in ("main", repo.sha):
            self._send(404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"})
            return
        siblings = [{"rfilename": name} for name in repo.files]
        about = {"id": "/".join(path.split("/")[:2]), "sha": repo.sha, "private": repo.private, "gated": repo.gated}
        self._send(200, about | {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0})

    def _commit(self, repo: Repo, body: bytes, name: str) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        if lines[0]["value"].get("parentCommit") not in (None, repo.sha):
            self._send(412, {"error": "another commit came first"})
            return
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repo.files[value["path"]] = self.hub.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del repo.files[value["path"]]
        repo.commits += 1
        self._send(200, {"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{repo.sha}", "commitOid": repo.sha})

    def _entry(self, name: str, data: bytes) -> dict[str, object]:
        entry: dict[str, object] = {
            "type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest(),
        }  # fmt: skip
        if self._mode(name) == "lfs":
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 100}
        return entry

    def _resolve(self, repo: Repo, name: str) -> None:
        if name not in repo.files:
            self._send(404, {"error": "no file"}, {"X-Error-Code": "EntryNotFound"})
            return
        data = repo.files[name]
        self._send(200, data, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": repo.sha})

    do_GET = do_HEAD = do_POST = do_PUT = _serve


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve a hub on 127.0.0.1 for as long as the block runs."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
