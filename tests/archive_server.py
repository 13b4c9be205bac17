"""A small archive, and a web server on the loopback that shows it as Apache does and fails in the ways that real servers fail."""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

import numpy as np

PAP = "rbspice-pap-tofxeh"
FOLDER = "rbsp/rbspa/l3/rbspice/pap_tofxeh/2013"
MAGIC = bytes.fromhex("cdf300010000ffff")
HTML = b"<!DOCTYPE html>\n<html><head><title>Service notice</title></head><body>Please log in.</body></html>\n"


Fault = str | Callable[[], str]


def pap_name(date: str, version: str = "1.2.4-03") -> str:
    return f"rbsp-a-rbspice_lev-3-pap_tofxeh_{date}_v{version}.cdf"


def cdf_bytes(size: int, seed: int) -> bytes:
    """Noise behind the begin of a CDF: the first record says where the second is, and that says how long the file is."""
    first = struct.pack(">qiq", 20, 1, 28)
    second = struct.pack(">qiqqqq", 44, 2, 0, 0, 0, size)
    head = MAGIC + first + second
    return head + np.random.default_rng(seed).bytes(size - len(head))


def put(root: Path, path: str, size: int = 3000) -> Path:
    """Write a file that begins like a CDF of its size; its content follows from its path."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cdf_bytes(size, int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big")))
    return file


def make_archive(root: Path) -> Path:
    """26 to 31 January 2013 without the 29th, one day in three versions, and a skeleton file as real archives have."""
    for day in (26, 27, 28, 30, 31):
        put(root, f"{FOLDER}/{pap_name(f'201301{day}')}")
    put(root, f"{FOLDER}/{pap_name('20130127', '1.2.4-07')}")
    put(root, f"{FOLDER}/{pap_name('20130127', '1.2.12-00')}")
    put(root, f"{FOLDER}/{pap_name('00000000')}")
    (root / FOLDER / "README.txt").write_text("no data")
    return root


def names(files: list[Path]) -> list[str]:
    return [file.name for file in files]


class ArchiveServer:
    """Serves `root` with ETag, Last-Modified and byte ranges as Apache does; `faults` says what goes wrong at a path.

    A fault is a string, or a list of them: one for each request in turn, healthy after the last. A member of a list can be a function
    without arguments: it is called when the request comes (to change a file, for example) and gives the fault.

    Status: "404", or any other three digits; "500x2" (twice, then healthy); "503x2:1" (with Retry-After: 1), "503x1:+2" (as an HTTP date
    two seconds from now). "redirect:URL".
    Body: "cut" (half of it under the whole Content-Length), "cut@N" (N bytes of this answer), "reset" and "reset@N" (the connection is
    reset there), "long" (a Content-Length greater than the body), "short" (half the Content-Length), "nolength" (none, the connection
    ends the body), "nolength-cut", "chunked", "chunked-cut", "endless" (chunks for ever), "drip:S" (`piece` bytes every S seconds),
    "headers:S" (the same with the header lines).
    Content: "html" (a page with status 200), "html!" (the page as application/x-cdf), "type:T" (the right bytes as Content-Type T; empty
    for none), "gzip" (compressed if the client takes that), "gzip!" (compressed even if not), "gzip-cut" (half of that), "br" (says so).
    Range: "norange" (a whole answer), "badstart", "badtotal" and "norangehead" (a wrong Content-Range or none), "noif" (If-Range is
    ignored), "bytes:B" (this is the whole body).
    Listing: "page:..." (this HTML), "lacks:TEXT" (an index without the names that hold TEXT).

    `etags` ("strong", "weak" or "") and `dates` say which validators come. `requests` counts (method, path), `ranges` lists the Range
    headers, `sent` adds the bytes of bodies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: dict[str, Fault | list[Fault]] = {}
        self.requests: Counter[tuple[str, str]] = Counter()
        self.ranges: list[str] = []
        self.sent = 0
        self.delay = 0.0
        self.piece = 64
        self.table = False
        self.etags, self.dates = "strong", True
        self.at_once = self.most_at_once = 0
        self.guard = threading.Lock()
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.httpd.daemon_threads = True
        self.httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that go away are no news here
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"

    def count(self, method: str, ending: str = "") -> int:
        return sum(n for (verb, path), n in self.requests.items() if verb == method and path.endswith(ending))

    def next_fault(self, path: str) -> str:
        """The fault of this request; those that pass are counted down."""
        with self.guard:
            fault = self.faults.get(path, "")
            if isinstance(fault, list):
                fault = fault.pop(0) if fault else ""
            elif found := re.fullmatch(r"(\d{3})x(\d+)(:.*)?", str(fault)):
                status, times, rest = found[1], int(found[2]), found[3] or ""
                self.faults[path] = f"{status}x{times - 1}{rest}" if times > 1 else ""
                fault = status + rest
        return fault() if callable(fault) else fault


@contextmanager
def serving(root: Path) -> Iterator[ArchiveServer]:
    server = ArchiveServer(root)
    thread = threading.Thread(target=server.httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.httpd.shutdown()
        server.httpd.server_close()
        thread.join()


def shown_size(size: int) -> str:
    """A size as Apache shows it in an index: exact below 973 bytes, then two digits and a letter, in units of 1024."""
    value, letters = float(size), iter("KMGT")
    letter = ""
    while value >= 973:
        value, letter = value / 1024, next(letters)
    if not letter:
        return str(size)
    return f"{value:.1f}{letter}" if value < 9.95 else f"{value:.0f}{letter}"


def index_page(folder: Path, path: str, *, table: bool, lacks: str | None = None) -> bytes:
    """Apache's index, plain (FancyIndexing) or as a table (HTMLTable); long names are cut in the text but not in the link."""
    columns = [
        f'<a href="?C={c};O={o}">{title}</a>' for c, o, title in (("N", "D", "Name"), ("M", "A", "Last modified"), ("S", "A", "Size"))
    ]
    parent = path.rstrip("/").rpartition("/")[0] + "/"
    rows = [("back.gif", "[PARENTDIR]", parent, "Parent Directory", "", "-")]
    for entry in sorted(folder.iterdir()):
        name = entry.name + "/" * entry.is_dir()
        if lacks is not None and lacks in name:
            continue
        text = name if len(name) <= 23 else name[:20] + "..&gt;"
        size = "-" if entry.is_dir() else shown_size(entry.stat().st_size)
        rows.append(("unknown.gif", "[   ]", quote(name), text, time.strftime("%Y-%m-%d %H:%M", time.gmtime(entry.stat().st_mtime)), size))
    if table:
        head = "<tr><th>" + "</th><th>".join(columns) + "</th></tr>"
        body = "".join(
            f'<tr><td valign="top"><img src="/icons/{i}" alt="{a}"></td><td><a href="{h}">{t}</a></td>'
            f'<td align="right">{m}  </td><td align="right">{s:>4}</td><td>&nbsp;</td></tr>\n'
            for i, a, h, t, m, s in rows
        )
        listing = f"<table>{head}\n{body}</table>"
    else:
        lines = (f'<img src="/icons/{i}" alt="{a}"> <a href="{h}">{t}</a> {m:>16}  {s:>4}  ' for i, a, h, t, m, s in rows)
        listing = "<pre>" + " ".join(columns) + "<hr>" + "\n".join(lines) + "\n<hr></pre>"
    title = f"Index of {path.rstrip('/')}"
    return f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n<h1>{title}</h1>\n{listing}\n</body></html>\n".encode()


def _handler(server: ArchiveServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            with server.guard:
                server.requests[self.command, self.path] += 1
                server.at_once += 1
                self.counts = 1
                server.most_at_once = max(server.most_at_once, server.at_once)
                if "Range" in self.headers:
                    server.ranges.append(self.headers["Range"])
            try:
                time.sleep(server.delay)
                self.respond(server.next_fault(self.path))
            except OSError:
                self.close_connection = True  # the client went away
            finally:
                self.over()

        do_HEAD = do_GET

        def over(self) -> None:
            """Count this request as done: before its last byte, because the client may ask the next as soon as it has it."""
            with server.guard:
                server.at_once -= self.counts
            self.counts = 0

        def respond(self, fault: str) -> None:
            kind, _, value = fault.partition(":")
            file = server.root / unquote(self.path).lstrip("/")
            if kind[:3].isdecimal() or not file.exists():
                waits = formatdate(time.time() + int(value), usegmt=True) if value.startswith("+") else value
                self.send(
                    int(kind[:3] or 404) if kind[:3].isdecimal() else 404, HTML, "text/html", **{"Retry-After": waits} if value else {}
                )
            elif kind == "redirect":
                self.send(302, b"", "text/html", Location=value)
            elif kind == "page":
                self.send(200, value.encode(), "text/html")
            elif kind in {"html", "html!"}:
                self.send(200, HTML, "text/html" if kind == "html" else "application/x-cdf")
            elif file.is_dir():
                lacks = value if kind == "lacks" else None
                self.send(
                    200, index_page(file, self.path, table=server.table, lacks=lacks), "text/html;charset=UTF-8", kind=kind, value=value
                )
            else:
                self.send_file(file, kind, value)

        def send_file(self, file: Path, kind: str, value: str) -> None:
            body = value.encode() if kind == "bytes" else file.read_bytes()
            headers = {}
            if server.dates:
                headers["Last-Modified"] = formatdate(file.stat().st_mtime, usegmt=True)
            if server.etags:
                headers["ETag"] = ("W/" if server.etags == "weak" else "") + f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            content_type = value if kind == "type" else "application/x-cdf" if file.suffix == ".cdf" else "text/plain"
            status, whole = 200, len(body)
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            unchanged = kind == "noif" or self.headers.get("If-Range") in {None, headers.get("ETag"), headers.get("Last-Modified")}
            if asked and unchanged and kind != "norange":
                begin = int(asked[1])
                if begin >= whole:
                    self.send(416, b"", "text/html", **{"Content-Range": f"bytes */{whole}"})
                    return
                status, body = 206, body[begin:]
                shown, total = begin + 1 if kind == "badstart" else begin, whole + 1 if kind == "badtotal" else whole
                if kind != "norangehead":
                    headers["Content-Range"] = f"bytes {shown}-{whole - 1}/{total}"
            elif kind in {"gzip!", "gzip-cut"} or (kind == "gzip" and "gzip" in self.headers.get("Accept-Encoding", "")):
                body = gzip.compress(body)
                headers["Content-Encoding"] = "gzip"
                body = body[: len(body) // 2] if kind == "gzip-cut" else body
            elif kind == "br":
                headers["Content-Encoding"] = "br"
            self.send(status, body, content_type, kind=kind, value=value, **headers)

        def send(self, status: int, body: bytes, content_type: str, *, kind: str = "", value: str = "", **headers: str) -> None:
            name, _, place = kind.partition("@")
            stop = int(place) if place else len(body) // 2
            if name == "headers":
                self.wfile = _Dripping(self.wfile, float(value))  # type: ignore[assignment]
            self.send_response(status)
            if content_type:
                self.send_header("Content-Type", content_type)
            if name in {"chunked", "chunked-cut", "endless"}:
                self.send_header("Transfer-Encoding", "chunked")
            elif not name.startswith("nolength"):
                self.send_header("Content-Length", str({"long": len(body) + 1000, "short": len(body) // 2}.get(name, len(body))))
            for header, text in headers.items():
                self.send_header(header, text)
            if self.command == "HEAD" or not body:
                self.over()
            self.end_headers()
            if self.command == "HEAD":
                return
            if name in {"cut", "reset", "long", "short", "nolength", "nolength-cut", "chunked-cut"}:
                self.close_connection = True
            if name in {"cut", "reset", "nolength-cut", "chunked-cut"}:
                body = body[:stop]
            if name.startswith("chunked"):
                for piece in (body[at : at + 1000] for at in range(0, len(body), 1000)):
                    self.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                if name == "chunked":
                    self.write(b"0\r\n\r\n")
            elif name == "endless":
                piece = b"<!-- more and more -->\n" * 4000
                while True:
                    self.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            elif name == "drip":
                for at in range(0, len(body), server.piece):
                    if at:
                        time.sleep(float(value))
                    if at + server.piece >= len(body):
                        self.over()
                    self.write(body[at : at + server.piece])
            else:
                self.write(body[:-1])
                self.over()
                self.write(body[-1:])
            if name == "reset":
                # Closed with a linger time of zero, a connection is reset, not ended.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

        def write(self, piece: bytes) -> None:
            self.wfile.write(piece)
            with server.guard:
                server.sent += len(piece)

    return Handler


class _Dripping:
    """A stream to the client that sends what it is given byte by byte."""

    def __init__(self, stream: BinaryIO, pause: float) -> None:
        self.stream, self.pause = stream, pause
        self.flush, self.close, self.closed = stream.flush, stream.close, False

    def write(self, content: bytes) -> None:
        for at in range(len(content)):
            self.stream.write(content[at : at + 1])
            time.sleep(self.pause)
