"""docs/remote.md: ssh reads every block, and its tunnel reaches a real Jupyter server."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from workshop.services import processes

PAGE = (Path(__file__).parents[2] / "docs" / "remote.md").read_text("utf-8")
BLOCKS = re.findall(r"^```ssh-config\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SSH = shutil.which("ssh")
SSHD = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin:/sbin")
RUN_BY_ROOT = Path("/run/sshd")  # an sshd of root's wants this folder, and its service makes it

EXPECTED = {  # a name, and what ssh must do for it when all blocks are in one file
    "workshop": {"hostname": "lab.example.org", "port": "4242", "user": "ann"},
    "workshop-lab": {
        "hostname": "lab.example.org",
        "localforward": "8888 [127.0.0.1]:8888",
        "exitonforwardfailure": "yes",
        "identitiesonly": "yes",
    },
    "seat-07": {"hostname": "seat-07.example.org", "user": "reader"},
    "seat-00": {"hostname": "teacher.example.org", "user": "ann"},
    "inner": {"hostname": "10.0.0.7", "proxyjump": "workshop", "forwardagent": "no"},
    "elsewhere": {
        "serveraliveinterval": "60",
        "serveralivecountmax": "3",
        "controlmaster": "auto",
        "controlpersist": "60",
        "tcpkeepalive": "yes",
    },
}

needs_ssh = pytest.mark.skipif(SSH is None, reason="no ssh here")
needs_sshd = pytest.mark.skipif(SSHD is None or SSH is None, reason="no sshd here")


def settings(text: str, name: str, folder: Path) -> dict[str, str]:
    """What `ssh -G` makes of a configuration for a host; the last of settings that come twice."""
    file = folder / "config"
    file.write_text(text)
    done = subprocess.run(
        [str(SSH), "-G", "-F", str(file), name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "option" in done.stderr) == (0, False), done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


@needs_ssh
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_ssh_reads_the_block(block: str, tmp_path: Path) -> None:
    for line in re.findall(r"^Host (.+)$", block, re.MULTILINE):
        name = line.split()[0].replace("?", "1").replace("*", "any")
        found = settings(block, name, tmp_path)
        nothing = settings("", name, tmp_path)
        assert found != nothing, f"{name}: the block changes nothing"


@needs_ssh
@pytest.mark.parametrize("name", EXPECTED)
def test_the_blocks_together_mean_what_the_page_says(name: str, tmp_path: Path) -> None:
    found = settings("\n".join(BLOCKS), name, tmp_path)
    assert {key: found.get(key) for key in EXPECTED[name]} == EXPECTED[name]
    assert re.search(r"/\.ssh/control/[0-9a-f]{40}$", found["controlpath"])
    assert found["forwardagent"] == "no"


@needs_ssh
def test_the_old_name_of_tcpkeepalive_is_still_read(tmp_path: Path) -> None:
    assert settings("Host *\n    KeepAlive no\n", "any", tmp_path)["tcpkeepalive"] == "no"


def test_every_setting_of_the_post_is_spoken_of() -> None:
    of_the_post = "HostName Port User IdentityFile KeepAlive ServerAliveInterval ForwardAgent"
    for setting in f"{of_the_post} ControlPath ControlMaster ControlPersist".split():
        assert re.search(rf"\b{setting}\b", PAGE), setting
    assert "David Wolever" in PAGE
    assert "(2014)" in PAGE


# --------------------------------------------------------- the real thing


@contextmanager
def sshd(home: Path) -> Iterator[int]:
    """An ssh server on loopback that lets the key in `home` in, and nobody else; its port."""
    port, made = processes.free_port(), os.geteuid() == 0 and not RUN_BY_ROOT.exists()
    for name in ("host", "key"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)]
        subprocess.run(keygen, check=True)
    (home / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {home}/key.pub\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nLogLevel VERBOSE\n"
    )
    if made:
        RUN_BY_ROOT.mkdir(mode=0o755)
    with (home / "sshd.log").open("w") as log:
        command = [str(SSHD), "-D", "-e", "-f", str(home / "sshd_config")]
        server = subprocess.Popen(command, stdin=-3, stdout=log, stderr=log)
    try:
        await_that(lambda: "listening on" in (home / "sshd.log").read_text())
        yield port
    finally:
        server.kill()
        server.wait()
        if made:
            RUN_BY_ROOT.rmdir()


@contextmanager
def jupyter(home: Path) -> Iterator[int]:
    """A Jupyter server on loopback whose token is `secret`; its port."""
    port = processes.free_port()
    options = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": False}
    command = [sys.executable, "-m", "jupyter_server", "--IdentityProvider.token=secret"]
    command += [f"--ServerApp.{name}={value}" for name, value in options.items()]
    folders = {f"JUPYTER_{name}_DIR": str(home) for name in ("RUNTIME", "CONFIG", "DATA")}
    with (home / "jupyter.log").open("w") as log:
        server = subprocess.Popen(
            [*command, *(["--allow-root"] if os.geteuid() == 0 else [])],
            env={**os.environ, **folders, "JUPYTER_NO_CONFIG": "1"},
            stdin=-3,
            stdout=log,
            stderr=log,
        )
    try:
        await_that(lambda: f"127.0.0.1:{port}" in (home / "jupyter.log").read_text())
        yield port
    finally:
        server.kill()
        server.wait()


def await_that(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Return when the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def laptop(home: Path, sshd_port: int, lab_port: int, here: int) -> Path:
    """The page's blocks as a file, with this test's machine, keys and ports before them."""
    first = (
        f"Host *\n    HostName 127.0.0.1\n    Port {sshd_port}\n    User {getpass.getuser()}\n"
        f"    IdentityFile {home}/key\n    UserKnownHostsFile {home}/known\n"
        f"    StrictHostKeyChecking accept-new\n    ControlPath {home}/%C\n    BatchMode yes\n"
    )
    blocks = "\n".join(BLOCKS)
    assert blocks.count("LocalForward 8888 127.0.0.1:8888") == 1
    ours = f"LocalForward {here} 127.0.0.1:{lab_port}"
    file = home / "laptop"
    file.write_text(first + blocks.replace("LocalForward 8888 127.0.0.1:8888", ours))
    return file


def says(config: Path, *command: str) -> str:
    """What an ssh with this configuration prints. A shared connection keeps its errors open."""
    with (config.parent / "errors").open("w+") as errors:
        done = subprocess.run(
            [str(SSH), "-F", str(config), *command], stdin=-3, stdout=-1, stderr=errors, text=True
        )
        errors.seek(0)
        assert done.returncode == 0, errors.read()
        errors.seek(0)
        return done.stdout + errors.read()


@needs_sshd
def test_the_tunnel_reaches_a_jupyter_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("s")  # a short name, for the sockets
    here = processes.free_port()
    with jupyter(home) as lab_port, sshd(home) as sshd_port:
        config = laptop(home, sshd_port, lab_port, here)
        try:
            assert "hello" in says(config, "workshop-lab", "echo", "hello")
            with urlopen(f"http://127.0.0.1:{here}/api/status?token=secret", timeout=300) as answer:
                assert json.load(answer)["kernels"] == 0
            with pytest.raises(URLError, match="403"):
                urlopen(f"http://127.0.0.1:{here}/api/status", timeout=300)
            # the second connection travels on the first, whichever of the two names is used
            assert "Master running" in says(config, "-O", "check", "workshop")
            assert "again" in says(config, "workshop", "echo", "again")
            assert (home / "sshd.log").read_text().count("Accepted publickey") == 1
            repository = home / "repository"
            subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True)
            listing = subprocess.run(
                ["git", "ls-remote", f"workshop:{repository}"],
                env={**os.environ, "GIT_SSH_COMMAND": f"{SSH} -F {config}"},
                check=False,
            )
            assert listing.returncode == 0
        finally:
            says(config, "-O", "exit", "workshop")
        with pytest.raises(URLError, match="refused"):
            urlopen(f"http://127.0.0.1:{here}/api/status?token=secret", timeout=300)
