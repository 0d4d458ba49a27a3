"""Options of every test in Python. `long` marks what runs only with --long."""

import re

import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the sizes named, not the short forms")
    parser.addoption("--only", metavar="REGEX", help="only tests whose id matches")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs only with --long")


def pytest_collection_modifyitems(config, items):
    only = re.compile(config.getoption("--only") or "")
    wanted, others = [], []
    for item in items:
        too_long = item.get_closest_marker("long") and not config.getoption("--long")
        (others if too_long or not only.search(item.nodeid) else wanted).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = wanted
