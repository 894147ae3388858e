#!/usr/bin/env python3
"""column_means.py [--digits N] SRC DST: the mean of every column of every CSV file, as JSON beside its name.

For SRC/downloads/a/b.csv it writes DST/uploads/a/b.means.json.
"""
import argparse
import csv
import json
import pathlib
import sys


def means_of(path, digits):
    """Column name -> mean; fails for what is not a number."""
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if not rows:
        raise ValueError("no rows")
    columns = rows[0].keys()
    return {
        column: round(sum(float(row[column]) for row in rows) / len(rows), digits)
        for column in columns
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", type=int, default=6)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("destination", type=pathlib.Path)
    arguments = parser.parse_args()

    event = json.loads((arguments.source / "notification.json").read_text(encoding="utf-8"))
    transaction = next(
        entry["value"]
        for entry in event["data"]
        if entry["destinationTable"] == "Transactions._id"
    )
    downloads = arguments.source / "downloads"
    uploads = arguments.destination / "uploads"

    for path in sorted(downloads.rglob("*.csv")):
        name = path.relative_to(downloads)
        print(f"transaction {transaction}: {name}")
        try:
            means = means_of(path, arguments.digits)
        except (ValueError, TypeError) as error:
            sys.exit(f"{name}: {error}")
        result = (uploads / name).with_suffix(".means.json")
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text(json.dumps(means, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
