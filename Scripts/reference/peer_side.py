"""Processes that are timed in turns, for peer_ratios.py."""
import json
import os
import selectors
import statistics
import subprocess
import tempfile
import time

# Seconds of rest before a run, so that the other side's threads have stopped spinning.
REST = 0.3
# A run that takes this many times as long as the best one is not waited for.
HOPELESS = 4
# Seconds that the first run may take more: it prepares what later ones use again.
FIRST = 8


class Failure(Exception):
    """A side that cannot do its work; the text says why."""


class Hopeless(Failure):
    """A side so slow that more of its runs would tell nothing."""


class Side:
    """A process that makes one run a line and answers with its milliseconds."""

    def __init__(self, name, command, limit, best=None):
        """Starts it and waits until it is warm.

        limit: seconds for loading, and for a first run that compiles.
        best: milliseconds of a run that it would have to beat, if there are any.
        """
        self.name = name
        self.milliseconds = []
        self.last = None
        self.errors = tempfile.TemporaryFile()
        self.pending = b""
        self.patience = limit if best is None else HOPELESS * best / 1000 + 2
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors
        )
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        try:
            self.become_warm(limit, compiles=name.startswith("compile"))
        except (Failure, TimeoutError) as error:
            self.kill()
            raise error if isinstance(error, Failure) else Failure(str(error)) from None

    def become_warm(self, limit, compiles):
        answer = self.answer(limit)
        if "loaded" in answer:
            answer = self.answer(limit) if compiles else self.run_answer(more=FIRST)
        while "ready" not in answer:
            answer = self.run_answer()

    def run_answer(self, more=0):
        """The answer to a run, for which it has only so much time."""
        limit = self.patience + more
        try:
            return self.answer(limit)
        except TimeoutError:
            raise Hopeless(f"a run takes more than {limit:.1f} s") from None

    def answer(self, limit):
        """The next line it prints, as JSON."""
        deadline = time.monotonic() + limit
        while b"\n" not in self.pending:
            if not self.selector.select(max(0, deadline - time.monotonic())):
                raise TimeoutError(f"no answer within {limit:.0f} s")
            read = os.read(self.process.stdout.fileno(), 1 << 16)
            if not read:
                raise Failure(self.last_words())
            self.pending += read
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def last_words(self):
        self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"ended with {self.process.returncode}"

    def run(self):
        time.sleep(REST)
        try:
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failure(self.last_words()) from None
        self.milliseconds.append(self.run_answer()["milliseconds"])
        return self.milliseconds[-1]

    @property
    def median(self):
        return statistics.median(self.milliseconds)

    def close(self, limit=120):
        """Ends the process and returns its report, an empty one if it gives none."""
        if self.last is None:
            try:
                self.process.stdin.close()
                report = self.answer(limit)
                self.last = report[0] if isinstance(report, list) else report
            except (Failure, TimeoutError, BrokenPipeError):
                self.last = {}
                self.process.kill()
            self.process.wait()
        return self.last

    def kill(self):
        self.process.kill()
        self.process.wait()


def process_time(command):
    """Milliseconds from start to end of a process."""
    time.sleep(REST)
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    elapsed = 1000 * (time.perf_counter() - start)
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failure(words[-1][:200] if words else f"ended with {done.returncode}")
    return elapsed
