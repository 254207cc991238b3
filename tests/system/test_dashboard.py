"""conf/grafana.json and conf/alerts.yml ask for what /metrics has."""

import json
import os
import re

from harness import HERE
from test_admin import AdminCase

CONF = os.path.join(HERE, "..", "..", "conf")
NAME = re.compile(r"\bm2mwsd_\w+")
SELECTOR = re.compile(r"(m2mwsd_\w+)\s*\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\bby \(([^)]*)\) \(\s*rate\(\s*(m2mwsd_\w+)")

# What Prometheus adds to each.
ADDED = {"instance", "job"}


def read(name):
    with open(os.path.join(CONF, name), encoding="utf-8") as file:
        return file.read()


def queries_of_dashboard():
    return [target["expr"] for panel in json.loads(read(
        "grafana.json"))["panels"] for target in panel["targets"]]


def queries_of_alerts():
    """Each expr, without a parser of YAML: what is indented below it, too."""
    blocks = re.findall(r"^( +)expr: (.*(?:\n\1 +.*)*)", read("alerts.yml"),
                        re.M)
    return [" ".join(text.split()) for _, text in blocks]


class Dashboard(AdminCase):
    def series(self):
        """{name: [labels, ...]}"""
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        found = {}
        for name, labels in re.findall(
                r"^(m2mwsd_\w+)(?:\{(.*)\})? \S+$", text, re.M):
            found.setdefault(name, []).append(
                dict(re.findall(r'(\w+)="([^"]*)"', labels)))
        return found

    def check_labels(self, series, query):
        for name, matchers in SELECTOR.findall(query):
            for label, _, value in MATCHER.findall(matchers):
                if label in ADDED:
                    continue
                there = {labels.get(label) for labels in series[name]}
                for one in value.split("|"):
                    self.assertIn(one, there, query)
        for labels, name in GROUPED.findall(query):
            for label in set(labels.split(", ")) - ADDED:
                self.assertIn(label, series[name][0], query)

    def check(self, queries):
        self.start()
        series = self.series()
        self.assertGreater(len(queries), 10)
        for query in queries:
            names = NAME.findall(query)
            if not names:
                self.assertRegex(query, r"^up\b")
            for name in names:
                self.assertIn(name, series, query)
            self.check_labels(series, query)

    def test_dashboard(self):
        self.check(queries_of_dashboard())

    def test_alerts(self):
        self.check(queries_of_alerts())
