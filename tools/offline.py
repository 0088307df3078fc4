"""Run all lessons as on a conference floor: no network, and 2 GB of memory for everything together (Linux).

The network is cut by a namespace of its own with nothing but loopback; memory is limited by a control group. Where the
system allows neither, this says so and runs nothing; its exit code is then 0 and its last line starts with "Skipped".
"""

import os
import pathlib
import shutil
import subprocess
import sys

LIMIT = 2 * 1024**3
GROUP = pathlib.Path("/sys/fs/cgroup/memory/lepton-course")
CUT = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
PROBE = "import socket, sys; socket.create_connection(('192.0.2.1', 80), timeout=2)"  # an address reserved for examples


def limited():
    """Return the start of a command that limits memory, or None. With control groups v1 this process limits itself."""
    scope = [
        "systemd-run",
        "--user",
        "--scope",
        "--quiet",
        f"--property=MemoryMax={LIMIT}",
        "--property=MemorySwapMax=0",
    ]
    if shutil.which("systemd-run") and subprocess.run([*scope, "true"], capture_output=True).returncode == 0:
        return scope
    try:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT))
        (GROUP / "cgroup.procs").write_text(str(os.getpid()))
        return []
    except OSError:
        return None


def skip(reason):
    print(f"Skipped: {reason}")
    raise SystemExit(0)


def main(*arguments):
    if not shutil.which("unshare") or subprocess.run([*CUT, "true"], capture_output=True).returncode:
        skip("this system does not allow a network namespace (Linux with unshare and ip is needed).")
    limit = limited()
    if limit is None:
        skip(
            "this system does not allow a memory limit (systemd-run --user, or root with control groups v1, is needed)."
        )
    probe = subprocess.run([*CUT, sys.executable, "-c", PROBE], capture_output=True, text=True)
    if "Network is unreachable" not in probe.stderr:
        raise SystemExit("The network was not cut: a connection to the outside did not fail as it should.")
    print(f"No network; {LIMIT // 1024**2} MB of memory for all processes together.", flush=True)
    command = [*limit, *CUT, sys.executable, "-m", "pytest", "-n", "0", *(arguments or ["notebooks"])]
    raise SystemExit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
