#!/usr/bin/env python3
"""Times flowsteer and PyTorch in turns, run by run, and prints how many times as long PyTorch takes.

usage: peer_ratios.py --flowsteer PROGRAM --teacher FOLDER [--python PYTHON] [--rows NAME,…] [--turns N] [--quick]
                      [--variant-limit SECONDS] [--json FILE] [--list]

Both sides are processes that stay warm and compute only when it is their turn, with two threads each. For every row
each variant of PyTorch is first screened with a few runs; the fastest then takes turns with ours. A variant is
reported and left out when it fails, when it takes longer than the limit to compile and load, or when a run takes more
than four times as long as the best variant's; so is the compiled form of one so slow. Called by Scripts/bench-peer.sh.
"""
import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import tempfile

from peer_interference import Interference
from peer_side import Failure, Hopeless, Side, process_time

THREADS = 2
# A variant whose run takes this many times as long as the best median gets no second one.
BEATEN = 1.5
# Processors that others may keep busy, on average, before a row is called disturbed.
DISTURBANCE = 0.2
# Milliseconds of a run of which few are enough.
LONG = 8000
PRECISIONS = ["fp32", "bf16"]
PEER_FP32 = ["eager-fp32", "compile-fp32"]
PEER_BF16 = ["eager-bf16", "compile-bf16", "eager-autocast", "compile-autocast"]
FOLDER = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Work:
    """What both sides do: the task and shape of peer_benchmark.py, and what `flowsteer benchmark` calls it."""

    task: str
    shape: str
    options: tuple = ()

    def ours(self, precision):
        command, _, mode = self.task.partition("-")
        return [command, "--shape", self.shape, "--precision", precision, *self.options] + (
            ["--mode", mode] if mode else []
        )


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: time, memory or share of the machine's peak of some work, or a whole process's time."""

    name: str
    work: Work | None
    ours: tuple = ("fp32",)
    peers: tuple = ()
    kind: str = "time"
    # What the measured time is multiplied with, where only a part of the work is done.
    scale: float = 1


def table(quick):
    fp32, bf16 = tuple(PEER_FP32), tuple(PEER_BF16)
    any_precision, any_peer = tuple(PRECISIONS), fp32 + bf16
    steps = {"emoji": 8 if quick else 32, "small": 4}
    rollouts = {shape: Work("rollout", shape, ("--steps", str(count))) for shape, count in steps.items()}
    sizes = ("tiny", "small")
    return [
        *(Row(f"forward-fp32-{size}", Work("forward", size), ("fp32",), fp32) for size in sizes),
        *(Row(f"forward-bf16-{size}", Work("forward", size), ("bf16",), bf16) for size in sizes),
        *(Row(f"lora-fp32-{size}", Work("train-lora", size), ("fp32",), fp32) for size in sizes),
        *(
            Row(f"lora-best-{size}", Work("train-lora", size), any_precision, any_peer)
            for size in (*sizes, "sd3-block")
        ),
        *(Row(f"full-fp32-{size}", Work("train-full", size), ("fp32",), fp32) for size in sizes),
        *(
            Row(f"rollout-{shape}", work, any_precision, any_peer, scale=32 / steps[shape])
            for shape, work in rollouts.items()
        ),
        Row("sample-emoji", None, (), ("fp32", "bf16"), kind="process"),
        Row("memory-lora-small", Work("train-lora", "small"), any_precision, any_peer, kind="memory"),
        Row("share-full-small", Work("train-full", "small"), ("fp32",), (), kind="share"),
        Row("share-lora-small", Work("train-lora", "small"), ("fp32",), (), kind="share"),
    ]


def describe(milliseconds):
    return f"{statistics.median(milliseconds):9.1f} ms"


class Comparison:
    def __init__(self, options):
        self.options = options
        self.results = []
        self.notes = []

    def ours(self, work, precision, best):
        command = [self.options.flowsteer, "benchmark", *work.ours(precision), "--lanes", str(THREADS), "--turns"]
        return Side(f"ours {precision}", command, self.options.variant_limit, best)

    def peer(self, work, variant, best):
        command = [self.options.python, str(FOLDER / "peer_benchmark.py"), work.task, work.shape, variant]
        command += [*work.options, "--threads", str(THREADS)]
        return Side(variant, command, self.options.variant_limit, best)

    def screened(self, work, names, start, groups):
        """Every variant measured a few times, one after another; only the best of each group stays alive."""
        sides, hopeless = {}, set()
        for name in names:
            if name.replace("compile", "eager") in hopeless:
                self.note(f"{work.task} {work.shape}: {name} left out: its eager form is hopeless")
                continue
            best = self.to_beat(name, sides, groups)
            try:
                side = start(work, name, best)
                sides[name] = side
                for _ in range(self.options.screening):
                    if side.run() > min(BEATEN * (best or float("inf")), LONG):
                        break
                say(f"  {side.name:16} {describe(side.milliseconds)}")
            except Hopeless as failure:
                hopeless.add(name)
                self.drop(sides, work, name, f"left out: {failure}")
            except Failure as failure:
                self.drop(sides, work, name, f"failed: {failure}")
            kept = {fastest(sides, group) for group in groups}
            for other in sides:
                if other not in kept:
                    sides[other].close()
        return sides

    def drop(self, sides, work, name, reason):
        if name in sides:
            sides.pop(name).kill()
        self.note(f"{work.task} {work.shape}: {name} {reason}")

    def to_beat(self, name, sides, groups):
        """The slowest best of the groups that the variant is in; None while one of them is empty."""
        bests = [fastest(sides, group) for group in groups if name in group]
        return None if None in bests or not bests else max(sides[best].median for best in bests)

    def note(self, text):
        say(f"  {text}")
        self.notes.append(text)

    def measure(self, work, rows):
        """All rows that one piece of work serves."""
        say(f"{work.task} {work.shape} {' '.join(work.options)}")
        own_names = union(row.ours for row in rows)
        timed = [row for row in rows if row.kind == "time"]
        ours = self.screened(work, own_names, self.ours, [row.ours for row in rows])
        # What we cannot do needs no peer.
        peered = [row for row in rows if any(name in ours for name in row.ours)]
        groups = [row.peers for row in peered if row.peers]
        peers = self.screened(work, union(row.peers for row in peered), self.peer, groups)
        pairs = {}
        for row in timed:
            best = (fastest(ours, row.ours), fastest(peers, row.peers))
            if None in best:
                self.add(row, None, None, best[1], "ms")
            else:
                pairs.setdefault(best, []).append(row)
        for (own, peer), its_rows in pairs.items():
            times = self.times_in_turns(work, ours[own], peers[peer])
            for row in its_rows:
                self.add(row, *(time and row.scale * time for time in times), peer, "ms", own)
        reports = {name: side.close() for name, side in ours.items()}
        peer_reports = {name: side.close() for name, side in peers.items()}
        for row in rows:
            if row.kind == "memory":
                own = smallest(reports, row.ours)
                peer = smallest(peer_reports, row.peers)
                self.add(row, above_weights(reports, own), above_weights(peer_reports, peer), peer, "MB", own)
            elif row.kind == "share":
                share = reports.get("fp32", {}).get("shareOfPeak")
                self.add(row, share, None, None, "of peak", "fp32")

    def times_in_turns(self, work, own, peer):
        """Medians of both sides, in milliseconds; none when a side fails on the way."""
        turns = self.options.turns if peer.median < LONG else min(5, self.options.turns)
        for side in (own, peer):
            side.milliseconds.clear()
            side.patience = self.options.variant_limit
        interference = Interference([own.process.pid, peer.process.pid])
        try:
            for _ in range(turns):
                peer.run()
                own.run()
        except Failure as failure:
            self.note(f"{work.task} {work.shape}: {own.name} or {peer.name} failed: {failure}")
            return None, None
        others = interference.cores
        if others > DISTURBANCE:
            self.note(f"{work.task} {work.shape}: disturbed: others kept {others:.1f} processors busy")
        return own.median, peer.median

    def measure_processes(self, row):
        """Whole processes that draw one picture, started anew for every run."""
        say("one picture in a process of its own")
        with tempfile.TemporaryDirectory() as folder:
            teacher, prompt = self.options.teacher, "a cat"
            program = [self.options.flowsteer, "sample", "--model", teacher, "--prompt", prompt, "--steps", "4"]
            ours = [*program, "--lanes", str(THREADS), "--out", f"{folder}/ours"]
            script = [self.options.python, str(FOLDER / "peer_sample.py"), teacher, prompt, f"{folder}/peer.png"]
            commands = {variant: [*script, variant, "4", str(THREADS)] for variant in row.peers}
            screening = {}
            for variant, command in commands.items():
                try:
                    process_time(command)
                    screening[variant] = process_time(command)
                    say(f"  {variant:16} {describe([screening[variant]])}")
                except Failure as failure:
                    self.note(f"sample: {variant} failed: {failure}")
            if not screening:
                return self.add(row, None, None, None, "ms")
            best = min(screening, key=screening.get)
            process_time(ours)
            pairs = [(process_time(commands[best]), process_time(ours)) for _ in range(self.options.turns)]
        peer, own = (statistics.median(times) for times in zip(*pairs))
        self.add(row, own, peer, f"python-{best}", "ms", "fp32")

    def add(self, row, ours, peer, variant, unit, own_variant=None):
        ratio = None
        if row.kind == "share":
            ratio = ours
        elif ours and peer:
            # Of memory less is better, so there the ratio stands the other way up.
            ratio = ours / peer if row.kind == "memory" else peer / ours
        result = {"row": row.name, "ours": ours, "peer": peer, "peerVariant": variant, "ratio": ratio}
        self.results.append(result | {"unit": unit, "oursVariant": own_variant, "scale": row.scale})
        say("  " + line(self.results[-1]))


def union(lists):
    return list(dict.fromkeys(name for names in lists for name in names))


def fastest(sides, names):
    present = [name for name in names if name in sides]
    return min(present, key=lambda name: sides[name].median, default=None)


def above_weights(reports, name):
    """10⁶ bytes at the peak, less the weights."""
    if name is None:
        return None
    return (reports[name]["peakMemoryBytes"] - reports[name]["weightBytes"]) / 1e6


def smallest(reports, names):
    present = [name for name in names if reports.get(name)]
    return min(present, key=lambda name: above_weights(reports, name), default=None)


def line(result):
    def number(value, width):
        return " " * (width - 1) + "–" if value is None else f"{value:{width}.{0 if value >= 1000 else 2}f}"

    marks = " (scaled)" if result["scale"] != 1 else ""
    variants = f"{result['oursVariant'] or '–'} against {result['peerVariant'] or '–'}"
    return (
        f"{result['row']:20}{number(result['ours'], 10)}{number(result['peer'], 10)} {result['unit']:8}"
        f"{number(result['ratio'], 7)}  {variants}{marks}"
    )


def say(text):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flowsteer", help="our program")
    parser.add_argument("--teacher", help="the shipped teacher's folder")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rows", help="names or beginnings of names, separated by commas")
    parser.add_argument("--turns", type=int, help="runs of each side; default 7, quick 5")
    parser.add_argument("--quick", action="store_true", help="fewer runs and solver steps")
    parser.add_argument("--variant-limit", type=float, default=240, help="seconds a variant may take to warm up")
    parser.add_argument("--json", help="where the table goes")
    parser.add_argument("--list", action="store_true", help="prints the rows' names")
    options = parser.parse_args()
    options.turns = options.turns or (5 if options.quick else 7)
    options.screening = 2 if options.quick else 3
    if not options.list and not (options.flowsteer and options.teacher):
        parser.error("--flowsteer and --teacher are missing")
    return options


def main():
    options = arguments()
    rows = table(options.quick)
    if options.rows:
        beginnings = tuple(options.rows.split(","))
        unknown = [name for name in beginnings if not any(row.name.startswith(name) for row in rows)]
        if unknown:
            sys.exit(f"bench-peer: no row begins with {unknown[0]}; --list names them")
        rows = [row for row in rows if row.name.startswith(beginnings)]
    if options.list:
        print("\n".join(row.name for row in rows))
        return
    comparison = Comparison(options)
    for work in dict.fromkeys(row.work for row in rows):
        its_rows = [row for row in rows if row.work == work]
        if work is None:
            for row in its_rows:
                comparison.measure_processes(row)
        else:
            comparison.measure(work, its_rows)
    order = {row.name: index for index, row in enumerate(rows)}
    results = sorted(comparison.results, key=lambda result: order[result["row"]])
    say(f"\n{'row':20}{'ours':>10}{'PyTorch':>10} {'':8}{'ratio':>7}  variants")
    for result in results:
        say(line(result))
    for note in comparison.notes:
        say(f"note: {note}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
