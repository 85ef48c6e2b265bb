# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds scenarios against the JSON Schema: schema.py SCHEMA SCENARIO...

Scenarios are read as YAML 1.2 has it (on, off, yes and no are words). Each must be valid, and each of a few
spoiled copies of it must not be. Exits 77 where python3-yaml or python3-jsonschema is missing."""
import copy
import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as e:
    print("skipped:", e)
    sys.exit(77)


class Core(yaml.SafeLoader):
    """The core schema of YAML 1.2 instead of 1.1's resolvers."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$", "-+.0123456789"),
    ("null", r"^(~|null|Null|NULL|)$", "~nN\0"),
]:
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), list(first.replace("\0", "")) + ([""] if "\0" in first else []))


def spoil(doc):
    """Copies of a valid scenario that must be refused."""
    for change in (
        lambda d: d.update(wrong=1),
        lambda d: d.update(run={"duration": "10"}),
        lambda d: d.update(run={"duration": "-1s"}),
        lambda d: d.update(run={"seed": "one"}),
        lambda d: d["hosts"][0].update(memory="4G"),
        lambda d: d["hosts"][0].pop("name"),
        lambda d: d["hosts"][0].update(cpu={"scheduler": "crdit"}),
        lambda d: d["hosts"][0].update(cpu={"balance": {"idle": "on"}}),
        lambda d: d["vms"][0].update(name="x y"),
        lambda d: d["vms"][0].update(cpu={"weight": 0}),
        lambda d: d["vms"][0].update(cpu={"wieght": 10}),
        lambda d: d["vms"][0].update(workload={"steps": [{"cpu": {"expnential": "1ms"}}]}),
        lambda d: d["vms"][0].update(workload={"steps": [{"cpu": {"uniform": ["1ms"]}}]}),
        lambda d: d["vms"][0].update(disk={"size": "1G"}),
        lambda d: d["vms"][0].update(kernel="k 1"),
    ):
        spoiled = copy.deepcopy(doc)
        change(spoiled)
        yield spoiled


with open(sys.argv[1]) as f:
    schema = json.load(f)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
failed = 0
for path in sys.argv[2:]:
    with open(path) as f:
        doc = yaml.load(f, Core)
    for error in validator.iter_errors(doc):
        print(f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
        failed = 1
    if not doc.get("hosts") or not doc.get("vms"):
        continue
    for i, spoiled in enumerate(spoil(doc)):
        if validator.is_valid(spoiled):
            print(f"{path}: spoiled copy {i} is taken for valid")
            failed = 1
sys.exit(failed)
