"""Ports of parts that several processes start at the same time."""

import subprocess
import sys

from gateway.dev.pocketbase import ROOT

_PICK = """
from gateway.dev.ports import pick_free
print(*(pick_free() for _ in range(130)), flush=True)
input()
"""


def test_processes_pick_different_ports() -> None:
    """While a process runs, no other is given a port that it was given, in use or not."""
    pickers = [
        subprocess.Popen(
            [sys.executable, "-c", _PICK],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(12)
    ]
    try:
        lines = [picker.stdout.readline() for picker in pickers if picker.stdout]
    finally:
        for picker in pickers:
            picker.communicate("\n", timeout=30)
    ports = [port for line in lines for port in line.split()]
    assert len(ports) == len(set(ports)) == 12 * 130
