"""Make the development environment: `.venv`, the locked packages, Java, the jars, profiles.yml.

Run by `make setup` with whatever Python the machine has, so it imports the standard library only,
and even an old Python must be able to read it. Each step leaves a stamp that holds the digest of
all it depended on; a step whose stamp still fits is skipped.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        "Python 3.11, 3.12 or 3.13 is needed, and {} is {}.{}: "
        "install one and say which, e.g. make setup PYTHON=python3.12".format(sys.executable, *sys.version_info[:2])
    )

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
STARTED = time.monotonic()

# What pip says when it cannot reach an index, in any of its layers.
UNREACHABLE = (
    "Connection refused",
    "Failed to establish a new connection",
    "Max retries exceeded",
    "Name or service not known",
    "Network is unreachable",
    "ProxyError",
    "SSLError",
    "Temporary failure in name resolution",
    "Read timed out",
)
PROGRESS = ("Downloading", "Building wheel", "Installing collected")
SECONDS_BETWEEN_LINES = 5


def main() -> None:
    """Bring each part up to date, in order, telling what is done and after how many seconds."""
    os.chdir(ROOT)
    make_venv()
    build_lock, dev_lock = REQUIREMENTS / "build.txt", REQUIREMENTS / "dev.txt"
    step(
        "requirements",
        [build_lock, dev_lock],
        "installing the locked packages (the first time some 800 MB and a few minutes)",
        lambda: (install_locked(build_lock), install_locked(dev_lock)),
    )
    step(
        "editable",
        [dev_lock, ROOT / "pyproject.toml", ROOT / "local" / "pyproject.toml"],
        "installing this project and local/, editable",
        install_editable,
    )
    prepare_runtime()
    copy_profiles()
    say("ready")


def say(line: str) -> None:
    """Print one line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:4.0f} s] {line}", flush=True)


def make_venv() -> None:
    """Create `.venv` unless it is one, of this place and with a Python that still starts."""
    if VENV_PYTHON.exists() and venv_works():
        return
    say(f"making .venv with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(
            f"{sys.executable} -m venv failed, perhaps because python3-venv is not installed:\n"
            f"{made.stdout}{made.stderr}"
        )


def venv_works() -> bool:
    """Tell whether the Python of `.venv` starts and knows this place as its own."""
    asked = subprocess.run([str(VENV_PYTHON), "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    scripts = VENV / "bin" / "pip"
    # The scripts name their interpreter by its full path, so a moved folder needs a new one.
    return (
        asked.returncode == 0
        and Path(asked.stdout.strip()) == VENV
        and scripts.exists()
        and str(VENV) in scripts.read_text(encoding="utf-8", errors="replace")
    )


def step(name: str, inputs: "list[Path]", line: str, action: "object") -> None:
    """Run an action unless its stamp shows that it was run with these very inputs."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    stamp = STAMPS / name
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    say(line)
    action()
    STAMPS.mkdir(exist_ok=True)
    stamp.write_text(digest, encoding="utf-8")


def install_locked(lock: Path) -> None:
    """Install a lock file; only bytes with a listed hash get in, build tools included."""
    pip("--require-hashes", "--no-build-isolation", "-r", str(lock))


def install_editable() -> None:
    """Install both distributions of the repository; their dependencies came from the lock."""
    pip("--no-deps", "--no-build-isolation", "-e", str(ROOT / "local"), "-e", str(ROOT))


def pip(*arguments: str) -> None:
    """Run pip install, telling its progress now and then; exit with a sentence if it fails."""
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    process = subprocess.Popen(
        [*command, "--no-input", "--progress-bar=off", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, last_line = [], time.monotonic()
    for line in process.stdout:
        said.append(line)
        if line.strip().startswith(PROGRESS) and time.monotonic() - last_line > SECONDS_BETWEEN_LINES:
            say("  " + line.strip()[:90])
            last_line = time.monotonic()
    if process.wait() == 0:
        return
    text = "".join(said)
    print(text[-3000:], file=sys.stderr)
    if any(sign in text for sign in UNREACHABLE):
        sys.exit(
            "pip cannot reach a package index: check the network, HTTPS_PROXY, and for an index of "
            "your own PIP_INDEX_URL and PIP_CERT; then run make setup again."
        )
    sys.exit("pip could not install the locked packages; its last words stand above.")


def prepare_runtime() -> None:
    """Have the installed package prepare Java, the jars and the class archive, where missing."""
    process = subprocess.Popen([str(VENV_PYTHON), "-m", "databricks_local.runtime"], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        say(line.rstrip())
    if process.wait() != 0:
        sys.exit("Spark's runtime is not ready, for the reason above. Then run make setup again.")


def copy_profiles() -> None:
    """Give the project a profiles.yml of its own, unless there is one."""
    if not (ROOT / "profiles.yml").exists():
        say("copying profiles.example.yml to profiles.yml")
        shutil.copyfile(ROOT / "profiles.example.yml", ROOT / "profiles.yml")


if __name__ == "__main__":
    main()
