"""How much of this machine others used during a measurement, for peer_ratios.py."""
import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """Processor time of everybody since the machine's start, stolen time included."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = fields
    return (user + nice + system + interrupts + soft_interrupts + stolen) / TICKS


def used_seconds(process):
    """Processor time of one process, all threads."""
    try:
        stat = pathlib.Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Interference:
    """Counts from its making on; the processes named are those that are measured."""

    def __init__(self, processes):
        self.processes = [*processes, os.getpid()]
        self.start = self.reading()

    def reading(self):
        return time.monotonic(), busy_seconds() - sum(map(used_seconds, self.processes))

    @property
    def cores(self):
        """Processors that others kept busy, on average."""
        (start, before), (now, after) = self.start, self.reading()
        return max(0, (after - before) / (now - start))
