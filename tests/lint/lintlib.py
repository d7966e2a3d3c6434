"""What the checks of tests/lint share: which files there are, suppressions, the cache, work in parallel, and how a result is told.

A suppression is a comment on the line of the finding, or alone on the line above it:
    /* own-ok: R6 the arena outlives the field */              for ownlint
    /* lint-ok: tidy:bugprone-branch-clone both cases are named in the RFC */     for the other tools
It names one check and gives a reason. One that suppresses nothing is an error, and so is one without a reason.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import sys

LINT = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(LINT))
FOLDERS = ["base", "net", "dns", "conf", "filter", "validator", "resolver", "rpki", "home", "control"]
MARK = re.compile(r"/\*\s*(own|lint)-ok:\s*(\S+)\s*(.*?)\s*\*/")


def build_dir():
    """The configured build directory whose config.h the checks use."""
    return os.environ.get("CAIRN_BUILD", os.path.join(TOP, "build"))


def sources(folders=None, suffixes=(".c", ".h"), also=("tests/sim",)):
    """Paths from the top, sorted."""
    found = []
    for folder in list(folders or FOLDERS) + list(also):
        for root, dirs, names in os.walk(os.path.join(TOP, folder)):
            dirs.sort()
            for name in sorted(names):
                if name.endswith(suffixes):
                    found.append(os.path.relpath(os.path.join(root, name), TOP))
    return sorted(set(found))


def read_text(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def sha(path):
    try:
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return ""


class Finding:
    def __init__(self, path, line, check, text):
        self.path, self.line, self.check, self.text = path, line, check, text

    def key(self):
        return (self.path, self.line, self.check, self.text)

    def __str__(self):
        return f"{self.path}:{self.line}: {self.check}: {self.text}"


def marks_of(path, word):
    """Suppressions in a file: (line that it speaks of, its own line, check, reason)."""
    marks = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        for m in MARK.finditer(line):
            if m.group(1) == word:
                alone = line.strip().startswith(m.group(0)) and line.strip() == m.group(0)
                marks.append((number + 1 if alone else number, number, m.group(2), m.group(3)))
    return marks


def suppress(findings, paths, word, speaks=lambda check: True, root=TOP):
    """Takes the suppressed findings out, adds one for each bad or idle suppression. Gives (findings, number suppressed)."""
    left, used = [], set()
    marks = {p: [m for m in marks_of(os.path.join(root, p), word) if speaks(m[2])] for p in paths}
    for f in findings:
        hit = [m for m in marks.get(f.path, []) if m[0] == f.line and m[2] == f.check]
        if hit:
            used.update((f.path, m[1], m[2]) for m in hit)
        else:
            left.append(f)
    for p in paths:
        for _, own_line, check, reason in marks[p]:
            if len(reason.split()) < 2:
                left.append(Finding(p, own_line, "suppression", f"{word}-ok: {check} gives no reason"))
            if (p, own_line, check) not in used:
                left.append(Finding(p, own_line, "suppression", f"{word}-ok: {check} suppresses nothing"))
    return left, len(used)


class Cache:
    """Results by file, good as long as the tool, its arguments and all files that it read for this one are the same."""

    def __init__(self, name, salt):
        self.path = os.path.join(build_dir(), "lint-cache", name + ".json")
        self.salt = salt
        self.hashes = {}
        try:
            with open(self.path, encoding="utf-8") as f:
                data = json.load(f)
            self.rows = data["rows"] if data.get("salt") == salt else {}
        except (OSError, ValueError, KeyError):
            self.rows = {}

    def hash(self, path):
        if path not in self.hashes:
            self.hashes[path] = sha(path)
        return self.hashes[path]

    def get(self, key):
        row = self.rows.get(key)
        if row is None or any(self.hash(p) != h for p, h in row["deps"].items()):
            return None
        return row["value"]

    def put(self, key, deps, value):
        self.rows[key] = {"deps": {p: self.hash(p) for p in deps}, "value": value}

    def save(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        temporary = f"{self.path}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as f:
            json.dump({"salt": self.salt, "rows": self.rows}, f)
        os.replace(temporary, self.path)


def parallel(work, items, threads=False):
    """work(item) for each, on all processors; results in order. Processes, or threads where a tool is started."""
    jobs = int(os.environ.get("LINT_JOBS", os.cpu_count() or 1))
    if jobs < 2 or len(items) < 2:
        return [work(i) for i in items]
    pool = concurrent.futures.ThreadPoolExecutor if threads else concurrent.futures.ProcessPoolExecutor
    with pool(max_workers=jobs) as executor:
        return list(executor.map(work, items, chunksize=1 if threads else 2))


def tell(name, findings, count, suppressed=0, unit="files"):
    """Prints what was found; the exit status."""
    rows = {f.key(): f for f in findings}
    for f in sorted(rows.values(), key=Finding.key):
        print(f)
    extra = f", {suppressed} suppressed" if suppressed else ""
    print(f"{name}: {count} {unit}, {len(rows)} findings{extra}")
    sys.stdout.flush()
    return 1 if rows else 0
