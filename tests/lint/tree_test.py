"""This tree keeps the rules of tree.py, and tree.py finds each way to break them."""

import pathlib
import subprocess
import tempfile
import unittest

import tree


class ThisTree(unittest.TestCase):
    def test_keeps_the_rules(self):
        problems = tree.check(pathlib.Path(__file__).parents[2])
        if problems:
            self.fail("\n" + "\n".join(problems))


class BadTree(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def problems(self, path, text):
        """What is wrong in a tree with this one file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return tree.check(self.root)

    def assert_allowed(self, path, text):
        self.assertEqual([], self.problems(path, text))

    def assert_refused(self, words, path, text):
        problems = self.problems(path, text)
        self.assertEqual(1, len(problems), problems)
        self.assertIn(words, problems[0])

    def test_includes_point_down(self):
        for path, name in [
            ("server/rpc/a.cc", "server/net/b.h"), ("server/main/a.cc", "server/rpc/b.h"),
            ("server/rpc/a.cc", "socketeer/v1/socket.pb.h"), ("client/a.cc", "grpcpp/grpcpp.h"),
            ("client/cli/a.cc", "client/b.h"), ("client/cli/a.cc", "server/policy/b.h"), ("client/lib/a.cc", "yaml/b.h"),
            ("server/policy/a.cc", "yaml/b.h"), ("server/net/a.cc", "sys/socket.h"), ("tests/net/a.cc", "server/rpc/b.h"),
        ]:
            with self.subTest(path=path, name=name):
                self.assert_allowed(path, f'#include "{name}"\n')

    def test_an_include_that_points_up_or_across_is_refused(self):
        for path, name in [
            ("server/base/a.h.cc", "server/net/b.h"), ("server/net/a.cc", "server/registry/b.h"),
            ("server/registry/a.cc", "server/rpc/b.h"), ("server/rpc/a.cc", "server/main/b.h"),
            ("server/net/a.cc", "grpcpp/grpcpp.h"), ("server/registry/a.cc", "socketeer/v1/socket.pb.h"),
            ("server/rpc/a.cc", "client/b.h"), ("server/rpc/a.cc", "socketeer/host.h"), ("client/a.cc", "server/base/b.h"),
            ("client/lib/a.cc", "server/policy/b.h"), ("client/lib/a.cc", "client/cli/b.h"), ("client/cli/a.cc", "server/net/b.h"),
            ("server/policy/a.cc", "server/net/b.h"), ("yaml/a.cc", "server/base/b.h"), ("yaml/a.cc", "socketeer/host.h"),
        ]:
            with self.subTest(path=path, name=name):
                self.setUp()
                self.assert_refused("must not use", path, f"\n #  include <{name}>\n")

    def test_links_point_down(self):
        self.assert_allowed("server/net/CMakeLists.txt", "socketeer_layer(net socketeer::base)\n")
        self.assert_refused("must not use server/rpc", "server/net/CMakeLists.txt", "socketeer_layer(net socketeer::rpc)\n")
        self.assert_refused("must not use proto", "server/net/CMakeLists.txt", "socketeer_layer(net gRPC::grpc++)\n")

    def test_a_long_file_is_refused(self):
        self.assert_allowed("server/net/a.cc", "\n" * tree.MAX_LINES)
        self.assert_refused("split it", "server/net/a.cc", "\n" * (tree.MAX_LINES + 1))

    def test_a_sleep_needs_a_reason(self):
        call = "  std::this_thread::sleep_" "for(1ms);"
        self.assert_allowed("server/net/a.cc", call + "  // because the kernel has no event for it\n")
        self.assert_refused("a sleep", "server/net/a.cc", call + "\n")
        self.assert_refused("a sleep", "server/net/a.cc", "usleep" "(1);\n")

    def test_a_shell_sleep_needs_a_reason(self):
        self.assert_refused("a sleep", "tests/x/run", "#!/bin/bash\nsleep" " 0.1\n")

    def test_unfinished_work_is_refused(self):
        self.assert_refused("unfinished", "server/net/a.cc", "// TO" "DO: later\n")

    def test_the_path_of_one_machine_is_refused(self):
        self.assert_allowed("README.md", "https://example.org/home/x and $HOME/x\n")
        self.assert_refused("one machine", "README.md", "see /" "home/me/x\n")

    def test_a_dead_link_is_refused(self):
        self.assert_allowed("docs/b.md", "[a](https://example.org/x.md) [b](#part)\n")
        self.assert_refused("dead link", "README.md", "[live](docs/b.md#part) [dead](docs/c.md)\n")

    def test_a_comment_names_a_document_that_exists(self):
        self.assert_refused("docs/c.md", "server/net/a.cc", "// docs/c.md.\n")

    def test_a_header_that_nothing_includes_is_refused(self):
        self.assert_refused("nothing includes it", "server/net/a.h", "\n")
        self.assert_allowed("server/net/a.cc", '#include "server/net/a.h"\n')


if __name__ == "__main__":
    unittest.main()
