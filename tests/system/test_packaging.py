"""What `make sbom` and scripts/Dockerfile say of this tree."""

import glob
import json
import os
import re
import subprocess

from harness import HERE, Case, needs_program, program

ROOT = os.path.join(HERE, "..", "..")


def version_of(package):
    return subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", package], check=True,
        capture_output=True, text=True).stdout


class Sbom(Case):
    under_sanitizers = False
    seconds = 60        # dpkg looks through all files of all packages

    def test_every_library_with_its_version(self):
        needs_program(self, "dpkg-query")
        daemon = program("m2mwsd")
        said = subprocess.run([os.path.join(ROOT, "scripts/sbom"), daemon],
                              check=True, capture_output=True, text=True)
        sbom = json.loads(said.stdout)
        self.assertEqual(sbom["spdxVersion"], "SPDX-2.3")
        packages = {p["SPDXID"]: p for p in sbom["packages"]}
        self.assertEqual(len(packages), len(sbom["packages"]))
        kinds = {r["relatedSpdxElement"]: r["relationshipType"]
                 for r in sbom["relationships"]}
        self.assertEqual(set(kinds), set(packages))
        self.assertEqual(kinds.pop("SPDXRef-m2mwsd"), "DESCRIBES")
        for name in kinds:
            package = packages[name]
            self.assertEqual(package["versionInfo"],
                             version_of(package["name"]))

        # the loader's own view, by the names that the daemon asks for
        needed = re.findall(r"NEEDED +(\S+)", subprocess.run(
            ["objdump", "-p", daemon], check=True, capture_output=True,
            text=True).stdout)
        self.assertGreater(len(needed), 5)
        text = " ".join(kinds)
        for soname in needed:
            stem = re.match(r"(lib[a-z]+)", soname)
            if stem and stem[1] not in ("libasan", "libubsan", "libm",
                                        "libgcov"):
                self.assertIn(stem[1], text)
        self.assertIn("llhttp", text)
        self.assertIn("uthash", text)


class Dockerfile(Case):
    under_sanitizers = False

    def test_copies_what_there_is(self):
        with open(os.path.join(ROOT, "scripts/Dockerfile")) as file:
            lines = re.findall(r"^COPY (?!--)(.*)", file.read(), re.M)
        copied = [name for line in lines for name in line.split()[:-1]]
        self.assertGreater(len(copied), 5)
        for name in copied:
            self.assertTrue(os.path.exists(os.path.join(ROOT, name)), name)

    def test_copies_all_that_the_build_needs(self):
        with open(os.path.join(ROOT, "scripts/Dockerfile")) as file:
            text = file.read()
        with open(os.path.join(ROOT, "Makefile")) as file:
            makefile = file.read()
        for path in glob.glob(os.path.join(ROOT, "*")):
            name = os.path.basename(path)
            if os.path.isdir(path) and re.search(rf"\b{name}/", makefile) \
                    and name not in ("build", "tests"):
                self.assertRegex(text, rf"(?m)^COPY {name} {name}$")


class BuildDepends(Case):
    under_sanitizers = False

    def test_what_scripts_deps_installs(self):
        with open(os.path.join(ROOT, "scripts/deps")) as file:
            words = re.search(r'^run="([^"]*)"', file.read(), re.M)[1].split()
        with open(os.path.join(ROOT, "scripts/debian/control")) as file:
            depends = re.search(r"^Build-Depends:((?: .*\n)+)", file.read(),
                                re.M)[1]
        told = {" | ".join(sorted(one.split(" | "))) for one in
                " ".join(depends.split()).split(", ")}
        # these are in build-essential
        for word in set(words) - {"gcc", "libc6-dev", "make"}:
            self.assertIn(" | ".join(sorted(word.split("|"))), told)
