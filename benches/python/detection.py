"""Detection on recorded timelines, through the real program: tables of what rang, when, and what should not have.

usage: detection.py TOCSIN TIMELINES [--sensitivity calm|balanced|alert] [--rulebook FILE] [--kind-less] [--plots FOLDER]

TIMELINES is a folder with weibo_hot/, airline.jsonl and weibo_cascades.jsonl; what is absent is left out with a message. Only
`tocsin replay` is run, with the ready pack unless a rulebook is given, and only its finding lines are read: level and at.

Boards (weibo_hot): a crisis is found when a finding of medium or above lies between its first hour on the board and ten days
later; a level that stands since before the first hour is shown as such. Of a harmless burst any such finding within those
days is a false one; of a month without a crisis any rise to medium or above. Storm: the first medium since 22 February in the
time of the file, the last before it, and the hour with most negative mentions by the program's own mood. Cascades: a monitor
of the name each names. Needs nothing but Python.
"""
import argparse
import collections
import datetime
import json
import os
import re
import statistics
import subprocess
import sys

LEVELS = ["none", "low", "medium", "high"]
BOARD = "text=text,published_at=ts,platform=:weibo,kind=:topic,metrics.views=read,metrics.comments=discuss"
# Without a crisis of their own in the months of the background files, as far as the titles tell.
CALM = {
    "2024-09": "华为 比亚迪 京东 淘宝 拼多多 星巴克 麦当劳 肯德基 腾讯 迪士尼 胖东来 奔驰 宝马 顺丰 喜茶 娃哈哈 五粮液 大疆 特斯拉 支付宝",
    "2025-03": "华为 苹果 比亚迪 京东 淘宝 麦当劳 肯德基 腾讯 迪士尼 奔驰 宝马 格力 海尔 大疆 OPPO 霸王茶姬 耐克 茅台 星巴克 特斯拉",
}
AIRLINES = {
    "Airline": "united OR americanair OR usairways OR southwestair OR jetblue OR virginamerica OR delta",
    "United": "united", "American": "americanair", "US Airways": "usairways",
    "Southwest": "southwestair", "JetBlue": "jetblue OR delta", "Virgin": "virginamerica",
}


def replay(options, file, field_map, monitors, plot=None):
    """Lines of `tocsin replay`; `plot` names the picture of its windows against their thresholds."""
    command = [options.tocsin, "--log-level", "error", "replay", file, "--map", field_map]
    command += ["--sensitivity", options.sensitivity]
    for name, query in monitors:
        command += ["--monitor", f"{name}={query}"]
    for rulebook in options.rulebook or []:
        command += ["--rulebook", rulebook]
    if plot and options.plots:
        picture = os.path.join(options.plots, re.sub(r"[/ ]", "_", plot) + ".svg")
        command += ["--plot", picture, "--step", "1h"]
        options.drawn.append(picture)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[:2000]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def rises(lines):
    """Findings at medium or above: time, level, whether the level rose, reasons."""
    found = [line for line in lines if line["type"] == "finding"]
    return [
        (at(f["at"]), f["level"], f["transition"] in ("opened", "raised"), f)
        for f in found
        if LEVELS.index(f["level"]) >= 2
    ]


def query_of(pattern):
    """A query that finds what a regular expression of words, `|`, brackets and `.*` finds."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append(pattern[start:place])
            start = place + 1
    parts.append(pattern[start:])
    terms = []
    for part in parts:
        group = re.fullmatch(r"([^(]*)(\.\*)?\(([^)]*)\)", part)
        if not group:
            terms.append(" ".join(part.split(".*")))
        elif group[2]:
            terms.append(f"({group[1]} AND ({' OR '.join(group[3].split('|'))}))")
        else:
            terms += [group[1] + end for end in group[3].split("|")]
    return " OR ".join(f"({term})" if " " in term and not term.startswith("(") else term for term in terms)


def boards(options, folder):
    events = json.load(open(os.path.join(folder, "events.json")))
    field_map = BOARD.replace(",kind=:topic", "") if options.kind_less else BOARD
    delays, missed, false = [], [], []
    print("\nHot-search boards: first medium or above from the first hour on the board on\n")
    print("| burst | kind | first hour | first medium | delay h | stood before | rises in 10 days | before |")
    print("|---|---|---|---|---|---|---|---|")
    for event in events:
        kind = "crisis" if event["kind"] == "crisis" else "non_crisis"
        file = os.path.join(folder, f"{kind}_{event['brand'].replace('/', '_')}.jsonl")
        if not os.path.exists(file):
            continue
        lines = replay(options, file, field_map, [(event["brand"], query_of(event["pattern"]))], event["brand"])
        onset = at(event["onset_on_board"])
        end = onset + datetime.timedelta(days=10)
        found = [r for r in rises(lines) if r[2]]
        within = [r for r in found if onset <= r[0] <= end]
        before = [r for r in found if r[0] < onset]
        standing = False
        for line in lines:
            if line["type"] == "finding" and at(line["at"]) < onset:
                standing = LEVELS.index(line["level"]) >= 2
        delay = (within[0][0] - onset).total_seconds() / 3600 if within else None
        if kind == "crisis":
            (missed.append(event["brand"]) if delay is None else delays.append(delay))
        elif within:
            false.append(event["brand"])
        first = within[0][0].astimezone(onset.tzinfo).strftime("%m-%d %H:%M") if within else "none"
        print(
            f"| {event['brand']} | {kind} | {onset:%m-%d %H:%M} | {first} | {'' if delay is None else round(delay, 1)} |"
            f" {'yes' if standing else ''} | {len(within)} | {len(before)} |"
        )
    median = statistics.median(delays) if delays else None
    print(f"\ncrises found {len(delays)} of {len(delays) + len(missed)}, median delay {median} h; harmless that rang: {false}")

    print("\nMonths without a crisis: rises to medium or above, by brand\n")
    worst = 0
    for month, brands in CALM.items():
        file = os.path.join(folder, f"background_{month}.jsonl")
        if not os.path.exists(file):
            continue
        lines = replay(options, file, field_map, [(brand, brand) for brand in brands.split()])
        count = collections.Counter(f["monitor_name"] for _, _, rose, f in rises(lines) if rose)
        mentions = [line for line in lines if line["type"] == "summary"][0]["hits"]
        worst = max([worst, *count.values()])
        print(f"{month}: {len(brands.split())} brands, {mentions} topics, rises {sum(count.values())}: {dict(count)}")
        if options.verbose:
            for when, level, rose, f in rises(lines):
                titles = [e["excerpt"].split("\n")[0] for e in f["evidence"]]
                print("   ", f["monitor_name"], when, level, titles)
    print(f"most of one brand and month: {worst}")


def storm(options, file):
    print("\nStorm of 22 and 23 February 2015\n")
    print("| monitor | medium or above before 22 Feb | first from 22 Feb on | hour of most negatives | hours ahead |")
    print("|---|---|---|---|---|")
    zone = datetime.timezone(datetime.timedelta(hours=-8))
    day = datetime.datetime(2015, 2, 22, tzinfo=zone)
    end = day + datetime.timedelta(days=2)
    rows = [json.loads(line) for line in open(file, encoding="utf-8")]
    texts = "\n".join(
        json.dumps({"id": f"x:{r['id']}", "platform": "x", "kind": "post", "text": r["text"], "published_at": r["ts"]})
        for r in rows
    )
    for name, query in AIRLINES.items():
        lines = replay(options, file, "text=text,published_at=ts,platform=:x", [(name, query)], name)
        command = [options.tocsin, "--log-level", "error", "score", "--monitor", f"{name}={query}"]
        scored = subprocess.run(command, input=texts, capture_output=True, text=True).stdout.splitlines()
        times = {f"x:{r['id']}": at(r["ts"]) for r in rows}
        hours = collections.Counter()
        for line in scored:
            judged = json.loads(line)
            when = times[judged["id"]]
            if judged.get("monitors") and judged["sentiment"]["label"] == "negative" and day <= when < end:
                hours[when.astimezone(zone).replace(minute=0, second=0)] += 1
        peak, most = hours.most_common(1)[0]
        found = [r for r in rises(lines) if r[2]]
        before = [r for r in found if r[0] < day]
        since = [r for r in found if day <= r[0] < end]
        first = since[0][0].astimezone(zone) if since else None
        ahead = "" if first is None else round((peak - first).total_seconds() / 3600, 1)
        print(
            f"| {name} | {', '.join(f'{r[0].astimezone(zone):%d %H:%M}' for r in before) or 'none'} |"
            f" {f'{first:%d %H:%M}' if first else 'none'} | {peak:%d %H:00} ({most}) | {ahead} |"
        )


def cascades(options, file):
    print("\nCascades: a post and all its reposts, each watched by the name it names\n")
    print("| cascade | name | label | reposts | first low | first medium | minutes after the post | highest |")
    print("|---|---|---|---|---|---|---|---|")
    posts = collections.OrderedDict()
    for line in open(file, encoding="utf-8"):
        row = json.loads(line)
        posts.setdefault(row["cascade"], []).append(row)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for cascade, rows in posts.items():
            path = os.path.join(folder, "cascade.jsonl")
            root = f"weibo:{rows[0]['id']}"
            with open(path, "w", encoding="utf-8") as out:
                for row in rows:
                    row = dict(row, kind="post", root=None if row is rows[0] else root)
                    row["text"] = row["text"] if row["root"] is None else f"{row['text']}//{rows[0]['text']}"
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
            mapping = "text=text,published_at=ts,platform=:weibo,repost_of=root,thread=cascade"
            lines = replay(options, path, mapping, [(rows[0]["brand"], rows[0]["brand"])])
            found = [line for line in lines if line["type"] == "finding" and line["transition"] in ("opened", "raised")]
            start = at(rows[0]["ts"])
            first = {
                level: next((at(f["at"]) for f in found if LEVELS.index(f["level"]) >= level), None) for level in (1, 2)
            }
            show = lambda when: "" if when is None else f"{when:%m-%d %H:%M}"
            after = "" if first[2] is None else round((first[2] - start).total_seconds() / 60)
            top = max((f["level"] for f in found), key=LEVELS.index, default="none")
            label = rows[0].get("label")
            print(f"| {cascade[:12]} | {rows[0]['brand']} | {label} | {len(rows) - 1} | {show(first[1])} | {show(first[2])} | {after} | {top} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tocsin")
    parser.add_argument("timelines")
    parser.add_argument("--sensitivity", default="balanced")
    parser.add_argument("--rulebook", action="append")
    parser.add_argument("--kind-less", action="store_true", help="do not say that board rows are topics")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--only", choices=["boards", "storm", "cascades"])
    parser.add_argument("--plots", metavar="FOLDER", help="draw each brand of the boards and each airline there, as SVG")
    options = parser.parse_args()
    options.drawn = []
    if options.plots:
        os.makedirs(options.plots, exist_ok=True)
    for part, name, run in [
        ("boards", "weibo_hot", boards),
        ("storm", "airline.jsonl", storm),
        ("cascades", "weibo_cascades.jsonl", cascades),
    ]:
        if options.only not in (None, part):
            continue
        path = os.path.join(options.timelines, name)
        if os.path.exists(path):
            run(options, path)
        else:
            print(f"no {name} in {options.timelines}: left out")
    if options.drawn:
        print(f"\n{len(options.drawn)} pictures of volume, negative share, baseline and level in {options.plots}")


if __name__ == "__main__":
    main()
