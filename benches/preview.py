"""What Feedmill reads of feeds, for scripts that compare it."""
import json, os, pathlib, subprocess, sys

PROGRAM = os.environ.get("FEEDMILL", str(pathlib.Path(__file__).parent.parent / "target/release/feedmill"))
AT_ONCE = 200


def folders(usage):
    """The folders that a script was given; ends it with its usage where there are none, or no program."""
    if not os.access(PROGRAM, os.X_OK):
        sys.exit("build first: cargo build --release")
    named = [name for name in sys.argv[1:] if name != "--misses"]
    return named or sys.exit(usage)


def files(folder, suffixes):
    return sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in suffixes)


def items(paths):
    """The items that each file is read as, in order."""
    lines = []
    for start in range(0, len(paths), AT_ONCE):
        command = [PROGRAM, "preview", "--json", *map(str, paths[start : start + AT_ONCE])]
        lines += [line for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines() if line.strip()]
    if len(lines) != len(paths):
        sys.exit(f"{PROGRAM} previews {len(lines)} of {len(paths)} files")
    return [json.loads(line).get("items") or [] for line in lines]
