"""A real HTTP(S) server on loopback whose files can fail in chosen ways, and a real proxy."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

BLOCK_BYTES = 16384


@dataclass(frozen=True)
class Fault:
    """How one answer differs from a good one."""

    #: Status to answer with, and no file.
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    #: Bytes to send instead of those of the file.
    body: bytes | None = None
    #: Bytes of the body after which the connection is closed; with a reset, or without.
    cut_after: int | None = None
    reset: bool = False
    #: Bytes of the body after which nothing comes any more; -1: not even a status.
    stall_after: int | None = None
    #: Content-Length to announce, if not the true one.
    length: int | None = None
    #: Send in chunks, without saying how long the file is.
    chunked: bool = False
    #: Neither Content-Length nor chunks: the end is where the connection ends.
    unframed: bool = False
    #: Answer a Range with the whole file, as servers may.
    ignore_range: bool = False
    #: Answer a Range although If-Range names another version, as servers should not.
    ignore_if_range: bool = False


@dataclass
class Served:
    """A file on the server: `faults` are spent one a request, then `always` applies."""

    content: bytes
    faults: list[Fault] = field(default_factory=list)
    always: Fault = Fault()
    content_type: str = "application/zip"
    etag: str | None = '"version-1"'
    last_modified: str | None = "Wed, 01 Jan 2025 00:00:00 GMT"
    #: Nothing of the body is sent before it is set.
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()


@dataclass(frozen=True)
class Request:
    """A request that was answered."""

    path: str
    headers: dict[str, str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _TcpServer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing on stderr."""

    def do_GET(self) -> None:
        owner = self.server.owner
        path = urlsplit(self.path).path
        headers = {name.lower(): value for name, value in self.headers.items()}
        with owner.lock:
            owner.requests.append(Request(path, headers))
            served = owner.files.get(path)
            fault = Fault()
            if served is not None:
                fault = served.faults.pop(0) if served.faults else served.always
        if served is None:
            fault, served = Fault(status=404), Served(b"")
        if fault.stall_after == -1:
            owner.closing.wait(60)
            self.close_connection = True
            return
        if fault.status is not None:
            self._answer(fault.status, fault.headers, fault.body or b"", fault, served)
            return
        self._answer_file(served, fault, headers)

    def _answer_file(self, served: Served, fault: Fault, headers: dict[str, str]) -> None:
        content = served.content if fault.body is None else fault.body
        answer = [("Content-Type", served.content_type), ("Accept-Ranges", "bytes")]
        answer += [("ETag", served.etag)] if served.etag else []
        answer += [("Last-Modified", served.last_modified)] if served.last_modified else []
        answer += fault.headers
        wanted = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        version = headers.get("if-range")
        is_same = version in (None, served.etag, served.last_modified) or fault.ignore_if_range
        if wanted is None or fault.ignore_range or not is_same:
            self._answer(200, answer, content, fault, served)
            return
        start = int(wanted.group(1))
        if start >= len(content):
            self._answer(416, [("Content-Range", f"bytes */{len(content)}")], b"", fault, served)
            return
        answer.append(("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"))
        self._answer(206, answer, content[start:], fault, served)

    def _answer(
        self,
        status: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        fault: Fault,
        served: Served,
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if fault.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not fault.unframed:
            length = len(body) if fault.length is None else fault.length
            self.send_header("Content-Length", str(length))
        self.end_headers()
        served.gate.wait(60)
        stop = fault.cut_after if fault.stall_after is None else fault.stall_after
        for start in range(0, len(body[:stop]), BLOCK_BYTES):
            block = body[:stop][start : start + BLOCK_BYTES]
            if fault.chunked:
                block = b"%x\r\n%s\r\n" % (len(block), block)
            self.wfile.write(block)
        self.wfile.flush()
        if fault.stall_after is not None:
            self.server.owner.closing.wait(60)
        elif fault.cut_after is None and fault.chunked:
            self.wfile.write(b"0\r\n\r\n")
        if fault.reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        is_framed = fault == Fault(status=fault.status, headers=fault.headers, body=fault.body)
        self.close_connection = not is_framed


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    context: ssl.SSLContext | None = None
    owner: Server

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        if self.context is not None:  # the handshake is left to the connection's own thread
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what is tested here."""


class Server:
    """Serve files from a thread of this process, as a context.

    Parameters
    ----------
    tls_folder : Path, optional
        Serve HTTPS, and write the certificate authority to ``ca.pem`` in this folder.
    host : str
        Name that the certificate is for, and that addresses are made with.

    Examples
    --------
    >>> with Server() as server:
    ...     url = server.add("/model.zip", b"PK", Fault(status=500))
    """

    def __init__(self, tls_folder: Path | None = None, host: str = "127.0.0.1") -> None:
        self.files: dict[str, Served] = {}
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._tcp = _TcpServer(("127.0.0.1", 0), _Handler)
        self._tcp.owner = self
        self.port: int = self._tcp.server_address[1]
        scheme = "http"
        if tls_folder is not None:
            import trustme

            scheme = "https"
            authority = trustme.CA()
            self.ca_file = tls_folder / "ca.pem"
            authority.cert_pem.write_to_path(str(self.ca_file))
            self._tcp.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(host).configure_cert(self._tcp.context)
        self.base = f"{scheme}://{host}:{self.port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._tcp.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self._tcp.shutdown()
        self._tcp.server_close()

    def add(self, path: str, content: bytes, *faults: Fault, **options: object) -> str:
        """Serve `content` at `path`, with `faults` for its first requests; return the address."""
        self.files[path] = Served(content, list(faults), **options)  # type: ignore[arg-type]
        return self.base + path

    def redirect(self, path: str, target: str) -> str:
        """Answer `path` with a redirect to `target`; return the address."""
        return self.add(path, b"", always=Fault(status=302, headers=(("Location", target),)))

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the headers of every request for `path`, in lower case."""
        return [request.headers for request in self.requests if request.path == path]


class _ProxyHandler(BaseHTTPRequestHandler):
    server: _ProxyServer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing on stderr."""

    def _upstream(self) -> socket.socket | None:
        self.server.seen.append(f"{self.command} {self.path}")
        if self.server.refuse is not None:
            self.send_response(self.server.refuse)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return socket.create_connection(("127.0.0.1", self.server.upstream_port), timeout=10)

    def do_CONNECT(self) -> None:
        self.close_connection = True
        upstream = self._upstream()
        if upstream is None:
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with upstream:
            self._relay(upstream)

    def do_GET(self) -> None:
        self.close_connection = True
        upstream = self._upstream()
        if upstream is None:
            return
        parts = urlsplit(self.path)
        lines = [f"GET {parts.path or '/'} HTTP/1.1", "Connection: close"]
        lines += [f"{key}: {value}" for key, value in self.headers.items() if key != "Connection"]
        with upstream:
            upstream.sendall("\r\n".join([*lines, "", ""]).encode())
            self._relay(upstream)

    def _relay(self, upstream: socket.socket) -> None:
        both = (self.connection, upstream)
        while True:
            for source in select.select(both, (), (), 10)[0] or both:
                block = source.recv(BLOCK_BYTES)
                if not block:
                    return
                (upstream if source is self.connection else self.connection).sendall(block)


class _ProxyServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    upstream_port: int
    refuse: int | None
    seen: list[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are what is tested here."""


class Proxy:
    """Forward everything to one port of this machine, whatever host is asked for.

    So a host that no name server knows can be reached through it, and only through it.
    """

    def __init__(self, upstream_port: int, refuse: int | None = None) -> None:
        self._tcp = _ProxyServer(("127.0.0.1", 0), _ProxyHandler)
        self._tcp.upstream_port, self._tcp.refuse, self._tcp.seen = upstream_port, refuse, []
        self.seen = self._tcp.seen
        self.url = f"http://127.0.0.1:{self._tcp.server_address[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._tcp.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):
            self._tcp.shutdown()
        self._tcp.server_close()
