"""An app that chooses its own port and prints where it is: `hold dev . -- python3 server.py`."""

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTED = time.strftime("%H:%M:%S")
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A Python server</title>
<link rel="icon" href="data:,"></head><body><h1>A Python server</h1>
<p>Running since {STARTED}. <a href="/end">End it</a> and look at what the page says then.</p>
<script>fetch("/since").then(it => it.text()).then(text => console.log("since", text))</script>
</body></html>"""


class Handler(BaseHTTPRequestHandler):
    """Answers with a page, or ends the server."""

    def do_GET(self) -> None:
        if self.path == "/end":
            print("told to end", flush=True)
            self.server.shutdown()
        self.send_response(200)
        is_page = self.path != "/since"
        self.send_header("Content-Type", "text/html; charset=utf-8" if is_page else "text/plain")
        self.end_headers()
        self.wfile.write((PAGE if is_page else STARTED).encode())


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
