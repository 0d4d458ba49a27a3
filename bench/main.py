"""Runs the lines of the bench, every peer beside millrace, rounds interleaved."""

import argparse
import os
import platform
import re
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import chat  # noqa: E402
import embedded  # noqa: E402
import history  # noqa: E402
import ingress  # noqa: E402
import relay  # noqa: E402
import streams  # noqa: E402
import table  # noqa: E402
import worker  # noqa: E402
from world import OUT, ROOT, World  # noqa: E402

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def all_lines():
    for module in (ingress, worker, streams, chat, history, relay, embedded):
        yield from module.lines()


def run_line(world, line, rounds, peers):
    """Every peer once a round, in turn: A B C A B C …"""
    results = {name: [] for name in line["peers"] if not peers or name in peers or name == "millrace"}
    for number in range(1, rounds + 1):
        for name in results:
            print(f"bench: {line['name']}: {name}, round {number}", file=sys.stderr, flush=True)
            try:
                results[name].append(line["peers"][name](world))
            except Exception as failure:  # a peer that fails must not cost the others their table
                print(f"bench: {name} failed: {failure}", file=sys.stderr, flush=True)
                results[name].append(None)
    return results


def keep(texts, rounds):
    """Each line's text in the place of the one it had; the others stay as they were measured."""
    readme = ROOT / "bench" / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    table_of, _, after = rest.partition(END)
    kept = {text.partition("\n")[0]: text.rstrip() for text in re.split(r"(?m)^(?=### )", table_of)[1:]}
    when = (f"{rounds} rounds, interleaved, on {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, "
            f"{platform.system()} {platform.release()}. Median [least–greatest].")
    for text in texts:
        name, _, figures = text.partition("\n")
        kept[name] = f"{name}\n{when}\n{figures}".rstrip()
    readme.write_text(f"{before}{BEGIN}\n" + "\n\n".join(kept.values()) + f"\n{END}{after}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", default="", help="part of the names of the lines to run")
    options.add_argument("--peers", default="", help="comma-separated; millrace always runs")
    options.add_argument("--write", action="store_true", help="keep the table in bench/README.md")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = OUT / "run"
    shutil.rmtree(folder, ignore_errors=True)
    peers = [name for name in chosen.peers.split(",") if name]
    texts = []
    with World(folder) as world:
        for line in all_lines():
            if chosen.only in line["name"]:
                results = run_line(world, line, chosen.rounds, peers)
                texts.append(table.render(line, results))
                print(texts[-1], flush=True)
    if chosen.write:
        keep(texts, chosen.rounds)


if __name__ == "__main__":
    main()
