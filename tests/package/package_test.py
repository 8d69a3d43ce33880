"""The library as a package: installed, found by a program outside of the tree, built into it, and of use."""

import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from daemon import BIN, DaemonTest  # noqa: E402

EXAMPLE = pathlib.Path(__file__).parent / "example"
BUILD = BIN.resolve().parent
CMAKE = "/usr/bin/cmake"
# What the tree was built with, sanitizers among it, holds for who links to it.
PASSED_ON = ("CMAKE_CXX_COMPILER", "CMAKE_CXX_FLAGS", "CMAKE_BUILD_TYPE")


def cached(name):
    found = re.search(rf"^{name}:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found[1] if found else ""


class Package(DaemonTest):
    def run_tool(self, *command):
        run = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=240)
        self.assertEqual(0, run.returncode, f"{command}\n{run.stdout}{run.stderr}")
        return run.stdout

    def install(self):
        prefix = self.directory / "prefix"
        self.run_tool(CMAKE, "--install", BUILD, "--prefix", prefix, "--component", "library")
        return prefix

    def configure(self, prefix, *options):
        settings = [f"-D{name}={cached(name)}" for name in PASSED_ON]
        return [CMAKE, "-S", EXAMPLE, "-B", self.directory / "example", f"-DCMAKE_PREFIX_PATH={prefix}", *settings,
                *options]

    def test_a_program_finds_it_is_built_and_talks(self):
        prefix = self.install()
        self.run_tool(*self.configure(prefix))
        self.run_tool(CMAKE, "--build", self.directory / "example")
        self.assertEqual("hello", self.run_tool(self.directory / "example/example", self.start().address))

    def test_nothing_in_it_leads_back_to_the_tree(self):
        prefix = self.install()
        tree = str(BUILD.parent)
        for file in (prefix / "lib/cmake").rglob("*.cmake"):
            self.assertNotIn(tree, file.read_text(), file)
        headers = {str(path.relative_to(prefix / "include/socketeer")) for path in
                   (prefix / "include/socketeer").rglob("*")}
        self.assertLessEqual({"host.h", "stream.h", "async_stream.h", "stubs.h"}, headers)

    def test_another_version_is_refused(self):
        prefix = self.install()
        wanted = self.directory / "wanted"
        wanted.mkdir()
        (wanted / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(wanted LANGUAGES CXX)\nfind_package(socketeer 0.9 REQUIRED)\n")
        run = subprocess.run([CMAKE, "-S", wanted, "-B", wanted / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                             capture_output=True, text=True, timeout=60)
        self.assertNotEqual(0, run.returncode)
        self.assertIn("version: 0.1.0", run.stderr)


if __name__ == "__main__":
    unittest.main()
