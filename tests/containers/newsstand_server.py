"""Serves the newsstand to the other containers: it listens on loopback, and this forwards port 8484 to it."""

import socket
import sys
import threading
from pathlib import Path

from pressmark.newsstand.server import Newsstand


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        target.close()


newsstand = Newsstand(Path.home() / "access.log", int(sys.argv[1]), port=8485)
newsstand.start()
listener = socket.create_server(("0.0.0.0", 8484))  # noqa: S104 - in a container of the tests
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", 8485))
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
