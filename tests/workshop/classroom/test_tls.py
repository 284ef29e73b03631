"""The class over TLS, with a certificate made here; and who is warned that there is none."""

from __future__ import annotations

import datetime
import ipaddress
import resource
import signal
import socket
import ssl
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import __main__ as command

HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate for this machine, which its own key has signed."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a class")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(1))
    made = made.not_valid_after(now + datetime.timedelta(1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HERE))])
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(signed.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, kind, none))
    return {"certfile": str(folder / "cert.pem"), "keyfile": str(folder / "key.pem")}


def test_a_class_with_a_certificate_is_encrypted(certificate: dict[str, str]) -> None:
    with fresh_class("tls", **certificate) as running:
        assert running.url == f"https://{HERE}:{running.port}"
        assert running.instructor_link.startswith(f"{running.url}/teach#secret=")
        trusted = ssl.create_default_context(cafile=certificate["certfile"])
        known = httpx.get(f"{running.url}/.well-known/oauth-authorization-server", verify=trusted)
        assert known.json()["token_endpoint"] == f"{running.url}/oauth/token"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(running.url)
        for garbage in (b"GET / HTTP/1.1\r\nHost: class\r\n\r\n", b"\x16\x03\x01\xff\xff" * 99):
            with socket.create_connection((HERE, running.port), timeout=60) as plain:
                plain.sendall(garbage)
                assert b"HTTP/1.1 2" not in plain.recv(9999), "nothing is answered in clear"
        assert httpx.get(running.url, verify=trusted).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "is_warned"),
    [
        ("--host 0.0.0.0", True),
        ("--host 192.0.2.7", True),
        ("--host ::", True),
        ("--host classroom.local", True),
        ("--host 0.0.0.0 --certfile c --keyfile k", False),
        ("", False),
        ("--host ::1", False),
        ("--host localhost", False),
    ],
)
def test_who_serves_others_without_a_certificate_is_warned(
    arguments: str,
    is_warned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given: dict[str, Any] = {}

    class Server:
        url, instructor_link, opening = "u", "l", SimpleNamespace(join_code="c")

        def __init__(self, folder: Path, **more: Any) -> None:
            given.update(more)

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing runs."""

        def wait(self) -> None:
            """It has stopped."""

    monkeypatch.chdir(tmp_path)
    for name in ("c", "k"):
        Path(name).touch()
    monkeypatch.setattr(command, "ClassServer", Server)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    command.main(arguments.split())
    said = capsys.readouterr()
    assert ("can read along" in said.err) == is_warned
    assert said.out.startswith("The class: u\nJoin code: c\nFor the instructor alone: l\n")
    assert given["certfile"] == ("c" if "certfile" in arguments else None)
    assert given["keyfile"] == ("k" if "keyfile" in arguments else None)
