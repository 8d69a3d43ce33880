"""nc called wrongly: what is said, before any call is made."""
import unittest

from nc_harness import NcTest


class Usage(NcTest):
    CASES = [
        ((), "nc: HOST and PORT are missing"),
        (("127.0.0.1",), "nc: PORT is missing: nc 127.0.0.1 PORT"),
        (("127.0.0.1", "70000"), 'PORT: "70000" is not a whole number from 1 to 65535'),
        (("127.0.0.1", "0"), 'PORT: "0" is not a whole number from 1 to 65535'),
        (("127.0.0.1", "http"), 'PORT: "http" is not a whole number'),
        (("127.0.0.1", "-1"), "-1"),
        (("", "80"), "HOST is empty"),
        (("1.2.3", "80"), "HOST: "),
        (("1:2:3", "80"), "HOST: "),
        (("a", "1", "2"), "nc: "),
        (("-l",), "PORT is missing: nc -l [HOST] PORT"),
        (("-l", "70000"), 'PORT: "70000" is not a whole number from 0 to 65535'),
        (("-l", "-p", "70000"), '-p: "70000" is not a whole number from 0 to 65535'),
        (("-l", "-p", "1", "127.0.0.1", "2"), 'the port is given twice: -p "1" and PORT'),
        (("-l", "-s", "127.0.0.1", "80"), '-s "127.0.0.1": with -l the address to listen on is HOST'),
        (("-l", "", "80"), "HOST is empty; leave it out"),
        (("-k", "127.0.0.1", "80"), "-k is for -l"),
        (("-u", "-N", "127.0.0.1", "80"), "-N is for streams"),
        (("-U",), "PATH is missing: nc -U PATH"),
        (("-U", ""), "PATH: it is empty"),
        (("-U", "/x", "80"), '-U takes one PATH; "80" is one argument too many'),
        (("-U", "/x", "-p", "80"), '-p "80": a UNIX socket (-U) has no port'),
        (("-U", "/" + "x" * 108), "PATH: "),
        (("-U", "-u", "-l", "-k", "/x"), "-k does not go with -u and -U"),
        (("-U", "-s", "", "/x"), "-s: it is empty"),
        (("-s", "", "127.0.0.1", "80"), "-s: it is empty"),
        (("-s", "1.2.3", "127.0.0.1", "80"), "-s: "),
        (("-p", "x", "127.0.0.1", "80"), '-p: "x" is not a whole number'),
        (("-w", "0", "127.0.0.1", "80"), '-w: "0" is not how long to wait: 1ms to 24h'),
        (("-w", "soon", "127.0.0.1", "80"), '-w: "soon" is not how long to wait'),
        (("-w", "", "127.0.0.1", "80"), '-w: "" is not how long to wait'),
        (("-w", "86401", "127.0.0.1", "80"), '-w: "86401" is not how long to wait'),
        (("-o", "json", "127.0.0.1", "80"), "-o json and yaml do not go with it"),
        (("-o", "name", "127.0.0.1", "80"), "-o name"),
        (("-z", "127.0.0.1", "80"), "-z"),
    ]

    def test_each_mistake_is_named(self):
        for arguments, said in self.CASES:
            with self.subTest(arguments):
                result = self.run_cli("nc", *arguments, code=1, said=said)
                self.assertEqual(result.stdout, b"")

    def test_another_family(self):
        self.run_cli("nc", "-s", "::1", "127.0.0.1", "80", code=1, said="bind")

    def test_the_flags_are_completed(self):
        self.assertIn("-N", self.out("completion", "bash").split("    nc) words='")[1].split("'")[0].split())


if __name__ == "__main__":
    unittest.main()
