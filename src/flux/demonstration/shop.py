"""The small API that is sold: the weather of any city, in a thread of this process. It invents it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

SKIES = ("clear", "cloudy", "rain", "snow", "fog")
OPENAPI = {
    "openapi": "3.0.3",
    "info": {"title": "Weather", "version": "1.0.0"},
    "paths": {
        "/weather/{city}": {
            "get": {
                "operationId": "currentWeather",
                "summary": "The weather now",
                "parameters": [
                    {"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {"200": {"description": "City, sky and degrees"}},
            }
        }
    },
}


class _Counter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        city = unquote(urlsplit(self.path).path.rpartition("/")[2])
        guess = sum(city.encode())
        body = json.dumps({"city": city, "sky": SKIES[guess % len(SKIES)], "degrees": guess % 35}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the walk tells what happens."""


@contextmanager
def shop() -> Iterator[str]:
    """Its base URL, while it is open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Counter)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
