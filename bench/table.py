"""One table of all rounds: median, least and greatest, and ratios taken round by round."""

import statistics

UNITS = {
    "per_s": "per s", "p50_ms": "p50 ms", "p99_ms": "p99 ms", "cpu_us": "CPU µs each",
    "cpu_s": "CPU s", "rss_mb": "RSS MB", "overlap": "overlap", "gap": "gap",
    "cpu_s_100k": "CPU s per 100k", "rss_kb_each": "RSS kB each", "per_cpu_s": "per CPU s",
    "lost": "lost", "wall_s": "wall s", "start_s": "start s",
}


def shown(value):
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def spread(values):
    middle = shown(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} [{shown(min(values))}–{shown(max(values))}]"


def ratios(line, ours, theirs):
    """Round by round, so that a drift of the machine's speed falls out; above 1: ours is better."""
    metric = line["better"].lstrip("-")
    inverted = line["better"].startswith("-")
    pairs = [(a[metric], b[metric]) for a, b in zip(ours, theirs)
             if a and b and a.get(metric) and b.get(metric)]
    return [b / a if inverted else a / b for a, b in pairs]


def verdicts(line, results):
    """What was aimed at and whether the median got there."""
    ours = results.get("millrace") or []
    ours = [r for r in ours if r]
    if not ours:
        return ["millrace: no result"]
    said = []
    for peer, wanted in line["targets"].items():
        got = ratios(line, results["millrace"], results.get(peer, []))
        if got:
            middle = statistics.median(got)
            said.append(f"{'met' if middle >= wanted else 'MISSED'}: {middle:.2f} × {peer} "
                        f"[{min(got):.2f}–{max(got):.2f}], target ≥ {wanted:g} ×")
    for metric, least in line.get("floors", {}).items():
        middle = statistics.median([r[metric] for r in ours])
        said.append(f"{'met' if middle >= least else 'MISSED'}: {UNITS[metric]} {shown(middle)}, "
                    f"target ≥ {shown(least)}")
    for metric, most in line["limits"].items():
        values = [r[metric] for r in ours if metric in r]
        if values:
            middle = statistics.median(values)
            said.append(f"{'met' if middle <= most else 'MISSED'}: {UNITS[metric]} {shown(middle)}, "
                        f"target ≤ {most:g}")
    return said


def render(line, results):
    """Markdown of one line of the bench."""
    metrics = [m for m in UNITS if any(m in r for rs in results.values() for r in rs if r)]
    rows = [f"### {line['name']}", "", "| | " + " | ".join(UNITS[m] for m in metrics) + " |",
            "|---" * (len(metrics) + 1) + "|"]
    for name, rounds in results.items():
        good = [r for r in rounds if r]
        failed = len(rounds) - len(good)
        cells = [spread([r[m] for r in good if m in r]) if any(m in r for r in good) else "–"
                 for m in metrics]
        rows.append(f"| {name}{f' ({failed} failed)' if failed else ''} | " + " | ".join(cells) + " |")
    return "\n".join([*rows, "", *(f"- {said}" for said in verdicts(line, results)), ""])
