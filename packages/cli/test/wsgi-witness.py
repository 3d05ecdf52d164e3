"""Answers each request with the environment that a WSGI application receives. Its argument is a port, or 0."""

import json
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def application(environ, start_response):
    shown = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    shown["target"] = environ["REQUEST_METHOD"] + " " + environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]


with make_server("127.0.0.1", int(sys.argv[1]), application, Server, Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
