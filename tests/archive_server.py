"""A small archive, and a web server on the loopback that shows it as Apache does and fails in the ways that real servers fail."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np

PAP = "rbspice-pap-tofxeh"
FOLDER = "rbsp/rbspa/l3/rbspice/pap_tofxeh/2013"
MAGIC = bytes.fromhex("cdf300010000ffff")
HTML = b"<!DOCTYPE html>\n<html><head><title>Service notice</title></head><body>Please log in.</body></html>\n"


def pap_name(date: str, version: str = "1.2.4-03") -> str:
    return f"rbsp-a-rbspice_lev-3-pap_tofxeh_{date}_v{version}.cdf"


def put(root: Path, path: str, size: int = 3000) -> Path:
    """Write a file that begins like a CDF; its content follows from its path."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big")
    file.write_bytes(MAGIC + np.random.default_rng(seed).bytes(size - len(MAGIC)))
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
    """Serves `root`; `faults` maps a path such as "/rbsp/x.cdf" to what goes wrong there.

    Faults: "404"; "html" (a page with status 200); "cut" (half the body under the whole Content-Length); "long" (a Content-Length
    greater than the body); "short" (half the Content-Length, so a client sees half the file); "gzip" (compressed if the client
    takes that) and "gzip!" (compressed even if not); "redirect:URL"; "500x2" or "429x2" (that status twice, then healthy);
    "page:..." (this HTML as the page). `requests` counts (method, path).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: dict[str, str] = {}
        self.requests: Counter[tuple[str, str]] = Counter()
        self.delay = 0.0
        self.table = False
        self.at_once = self.most_at_once = 0
        self.guard = threading.Lock()
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"

    def count(self, method: str, ending: str = "") -> int:
        return sum(n for (verb, path), n in self.requests.items() if verb == method and path.endswith(ending))


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


def index_page(folder: Path, path: str, *, table: bool) -> bytes:
    """Apache's index, plain (FancyIndexing) or as a table (HTMLTable); long names are cut in the text but not in the link."""
    columns = [
        f'<a href="?C={c};O={o}">{title}</a>' for c, o, title in (("N", "D", "Name"), ("M", "A", "Last modified"), ("S", "A", "Size"))
    ]
    parent = path.rstrip("/").rpartition("/")[0] + "/"
    rows = [("back.gif", "[PARENTDIR]", parent, "Parent Directory", "", "-")]
    for entry in sorted(folder.iterdir()):
        name = entry.name + "/" * entry.is_dir()
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
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                time.sleep(server.delay)
                self.respond()
            finally:
                with server.guard:
                    server.at_once -= 1

        do_HEAD = do_GET

        def respond(self) -> None:
            fault = server.faults.get(self.path, "")
            if "x" in fault and fault[:3].isdecimal():
                status, _, times = fault.partition("x")
                server.faults[self.path] = f"{status}x{int(times) - 1}" if int(times) > 1 else ""
                self.send(int(status), HTML, "text/html")
                return
            if fault.startswith("redirect:"):
                self.send(302, b"", "text/html", Location=fault.partition(":")[2])
                return
            if fault.startswith("page:"):
                self.send(200, fault.partition(":")[2].encode(), "text/html")
                return
            file = server.root / unquote(self.path).lstrip("/")
            if fault == "404" or not file.exists():
                self.send(404, HTML, "text/html")
            elif fault == "html":
                self.send(200, HTML, "text/html")
            elif file.is_dir():
                self.send(200, index_page(file, self.path, table=server.table), "text/html;charset=UTF-8")
            else:
                body = file.read_bytes()
                headers = {"Last-Modified": formatdate(file.stat().st_mtime, usegmt=True)}
                if fault == "gzip!" or (fault == "gzip" and "gzip" in self.headers.get("Accept-Encoding", "")):
                    body = gzip.compress(body)
                    headers["Content-Encoding"] = "gzip"
                announced = {"long": len(body) + 1000, "short": len(body) // 2}.get(fault, len(body))
                self.send(200, body[: len(body) // 2] if fault == "cut" else body, "application/x-cdf", announced, **headers)
                if fault in {"cut", "long", "short"}:
                    self.close_connection = True

        def send(self, status: int, body: bytes, content_type: str, announced: int | None = None, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body) if announced is None else announced))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler
