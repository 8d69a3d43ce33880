"""nc called wrongly: what is said, before any call is made."""
import unittest

from nc_harness import NcTest


LONG = "x" * 64 + ".invalid"  # the resolver asks nobody for such a label


class Usage(NcTest):
    CASES = [
        ((), "nc: HOST and PORT are missing"),
        (("127.0.0.1",), "nc: PORT is missing: nc 127.0.0.1 PORT"),
        (("127.0.0.1", "70000"), 'PORT: "70000" is not a whole number from 1 to 65535'),
        (("127.0.0.1", "0"), 'PORT: "0" is not a whole number from 1 to 65535'),
        (("127.0.0.1", "http"), 'PORT: "http" is not a whole number'),
        (("127.0.0.1", "-1"), "-1"),
        (("", "80"), "HOST is empty"),
        (("1.2.3", "80"), 'HOST: "1.2.3" is neither an IPv4 nor an IPv6 address, nor a name, '),
        (("1:2:3", "80"), 'HOST: "1:2:3" is neither'),
        (("[::1]:5", "80"), 'HOST: "[::1]:5" is neither'),
        (("/run/x", "80"), "HOST: \"/run/x\" is neither an IPv4 nor an IPv6 address, nor a name, which has up to 253 "
                           "letters, digits, '.', '-' and '_'; a UNIX socket takes -U"),
        (("a", "1", "2"), 'nc: "2" is one argument too many: nc HOST PORT'),
        (("-l", "a", "1", "2"), 'nc: "2" is one argument too many: nc -l [HOST] PORT'),
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
        (("-U", "/x", "80"), '"80" is one argument too many: nc -U PATH'),
        (("-U", "/x", "-p", "80"), '-p "80": a UNIX socket (-U) has no port'),
        (("-U", "/" + "x" * 108), 'PATH: "/xxx'),
        (("-U", "-u", "-l", "-k", "/x"), "-k does not go with -u and -U"),
        (("-U", "-s", "", "/x"), "-s: it is empty"),
        (("-s", "", "127.0.0.1", "80"), "-s: it is empty"),
        (("-s", "1.2.3", "127.0.0.1", "80"), '-s: "1.2.3" is neither'),
        (("-s", "a:b", "127.0.0.1", "80"), '-s: "a:b" is neither'),
        (("-p", "x", "127.0.0.1", "80"), '-p: "x" is not a whole number'),
        (("-w", "0", "127.0.0.1", "80"), '-w: "0" is not how long to wait: 1ms to 24h'),
        (("-w", "soon", "127.0.0.1", "80"), '-w: "soon" is not how long to wait'),
        (("-w", "", "127.0.0.1", "80"), '-w: "" is not how long to wait'),
        (("-w", "86401", "127.0.0.1", "80"), '-w: "86401" is not how long to wait'),
        (("-o", "json", "127.0.0.1", "80"), "-o/--output json does not go with this verb"),
        (("--output", "table", "127.0.0.1", "80"), "-o/--output table does not go with this verb"),
        (("-o", "name", "127.0.0.1", "80"), "-o/--output name does not go with this verb"),
        (("-o", "dump", "127.0.0.1", "80"), "--output: dump"),
        (("-z", "127.0.0.1", "80"), "-z"),
    ]

    def test_each_mistake_is_named(self):
        for arguments, said in self.CASES:
            with self.subTest(arguments):
                result = self.run_cli("nc", *arguments, code=1, said=said)
                self.assertEqual(result.stdout, b"")

    def test_what_the_daemon_refuses_is_told_as_it_was_typed(self):
        for arguments, code, said in (
                (("-s", "::1", "127.0.0.1", "80"), 1, '-s "::1" is an address of another family than HOST "127.0.0.1"\n'),
                (("fe80::1%none", "80"), 1, 'HOST "fe80::1%none": "none" must be an interface of this host'),
                (("-s", "fe80::1%none", "::1", "80"), 1, '-s "fe80::1%none": "none" must be an interface'),
                (("-l", "fe80::1%none", "80"), 1, 'HOST "fe80::1%none": "none" must be an interface'),
                ((LONG, "80"), 3, f'HOST "{LONG}" was not resolved: '),
                (("-s", LONG, "127.0.0.1", "80"), 3, f'-s "{LONG}" was not resolved: '),
                (("-s", "192.0.2.1", "127.0.0.1", "80"), 3, '-s "192.0.2.1": bind: Cannot assign requested address '
                                                            "(EADDRNOTAVAIL)\n"),
                (("-s", "192.0.2.1", "-p", "9", "127.0.0.1", "80"), 3, '-s "192.0.2.1" -p "9": bind: '),
                (("-l", "192.0.2.1", "80"), 3, "bind: Cannot assign requested address (EADDRNOTAVAIL) 192.0.2.1:80\n"),
                (("-U", "-s", "/none/x", "/none/y"), 3, '-s "/none/x": bind: No such file or directory (ENOENT)\n')):
            with self.subTest(arguments):
                self.run_cli("nc", *arguments, code=code, said=said)

    def test_a_port_that_is_none_is_not_told(self):
        taken, port = self.server()
        taken.close()
        self.run_cli("nc", "-s", "127.0.0.1", "127.0.0.1", str(port), code=3,
                     said=f"connect: Connection refused (ECONNREFUSED) 127.0.0.1:{port}\n")
        result = self.run_cli("nc", "-s", "127.0.0.1", "127.0.0.1", str(port), code=3)
        self.assertNotIn(b":0\n", result.stderr)

    def test_the_flags_are_completed(self):
        self.assertIn("-N", self.out("completion", "bash").split("    nc) words='")[1].split("'")[0].split())


if __name__ == "__main__":
    unittest.main()
