"""A benchmark program as a child process that runs one case on command (perf/common/serve.c)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path


class Served:
    """`perf_NAME --serve CASE`; close() ends it."""

    def __init__(self, program: Path, case: str, threads: int) -> None:
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.program = program
        self.process = subprocess.Popen([str(program), "--serve", case], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.case = self._answer()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.program}: ended with status {self.process.wait()}")
        return json.loads(line)

    def _ask(self, command: str) -> dict:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer()

    def run(self, n: int) -> float:
        """Seconds of one of n runs."""
        return self._ask(f"run {n}")["seconds"]

    def check(self) -> dict:
        """Sums of the outputs of a run by name."""
        return self._ask("check")["outputs"]

    def resident_bytes(self) -> int:
        """Memory that it holds."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def close(self) -> None:
        """Ends the child and waits for it."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def case_names(program: Path, quick: bool) -> list[str]:
    """The cases of a program."""
    command = [str(program), "--list"] + (["--quick"] if quick else [])
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
