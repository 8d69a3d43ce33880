"""deploy/: the files agree with each other and with the programs, as far as that shows without an engine."""

import ipaddress
import json
import pathlib
import re
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import compose  # noqa: E402
from daemon import ROOT, SOCKETEER, DaemonTest  # noqa: E402

DEPLOY = ROOT / "deploy"


def load(name):
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


class Compose(DaemonTest):
    def setUp(self):
        super().setUp()
        self.file = load("compose.yaml")
        self.hosts = {name: service for name, service in self.file["services"].items() if name != "controller"}
        self.subnets = {name: ipaddress.ip_network(network["ipam"]["config"][0]["subnet"])
                        for name, network in self.file["networks"].items()}

    def test_each_service_is_without_privileges(self):
        for name, service in self.file["services"].items():
            with self.subTest(name):
                self.assertEqual((True, ["ALL"], ["no-new-privileges:true"], "socketeer"), (
                    service["read_only"], service["cap_drop"], service["security_opt"], service["image"]))
                self.assertNotIn("user", service)

    def test_networks_and_addresses_are_those_of_the_tests(self):
        found = {}
        for name, service in self.file["services"].items():
            for network, at in service["networks"].items():
                self.assertIn(ipaddress.ip_address(at["ipv4_address"]), self.subnets[network])
                found.setdefault(network, {})[name] = at["ipv4_address"]
        self.assertEqual({"controller", *compose.HOSTS}, set(found.pop("control")))
        self.assertEqual(compose.NETWORKS, found)
        self.assertTrue(all(network["internal"] for network in self.file["networks"].values()))

    def test_each_host_listens_on_the_network_of_control_where_the_hosts_file_says(self):
        listed = {host["name"]: host for host in load("compose/hosts.yaml")["hosts"]}
        self.assertEqual(set(self.hosts), set(listed))
        for name, service in self.hosts.items():
            control = service["networks"]["control"]["ipv4_address"]
            self.assertEqual([f"SOCKETEERD_LISTEN={control}:7625"], service["environment"])
            self.assertEqual(f"{name}:7625", listed[name]["address"])
            self.assertEqual(set(service["networks"]) - {"control"}, set(listed[name]["labels"]))

    def test_the_controller_waits_for_the_health_of_all(self):
        self.assertEqual({name: {"condition": "service_healthy"} for name in self.hosts},
                         self.file["services"]["controller"]["depends_on"])

    def test_what_is_mounted_is_made_and_lies_where_it_is_read(self):
        made = {file.name for file in (DEPLOY / "compose").glob("*.yaml")} | {"ca.pem"}
        made |= {f"{name}.{kind}" for name in self.file["services"] for kind in ("pem", "key")}
        settings = load("compose/socketeerd.yaml")
        read = {settings[key] for key in ("tls_cert", "tls_key", "client_ca", "policy")} | {"/etc/socketeer/socketeerd.yaml"}
        defaults = load("compose/hosts.yaml")["defaults"]
        for name, service in self.file["services"].items():
            sources, targets, modes = zip(*(volume.split(":") for volume in service["volumes"]))
            self.assertEqual({"ro"}, set(modes))
            self.assertLessEqual(set(sources), {f"./lab/{file}" for file in made})
            self.assertFalse({f"./lab/{other}.key" for other in self.file["services"] if other != name} & set(sources))
            self.assertNotIn("./lab/ca.key", sources)
            if name != "controller":
                self.assertEqual(read, set(targets), name)
            else:
                self.assertEqual({f"/etc/socketeer/{file}" for file in ("hosts.yaml", *defaults.values())}, set(targets))

    def test_the_policy_holds_and_is_about_the_networks(self):
        run = subprocess.run([SOCKETEER, "policy", "test", DEPLOY / "compose/policy.yaml"], capture_output=True, text=True)
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual({name: [str(self.subnets[name])] for name in compose.NETWORKS},
                         load("compose/policy.yaml")["addresses"])

    def test_the_command_takes_the_hosts_file(self):
        run = subprocess.run([SOCKETEER, "--hosts-file", DEPLOY / "compose/hosts.yaml", "--host", "nobody", "whoami"],
                             capture_output=True, text=True)
        known = re.search(r'there is no host "nobody" in \S+; there is (.*)\. An address', run.stderr)
        self.assertTrue(known, run.stderr)
        self.assertEqual(compose.HOSTS, sorted(known[1].split(", ")))

    def test_the_daemon_knows_each_setting(self):
        text = re.sub("/etc/socketeer/", f"{self.directory}/", (DEPLOY / "compose/socketeerd.yaml").read_text())
        (self.directory / "socketeerd.yaml").write_text(text)
        (self.directory / "policy.yaml").write_text((DEPLOY / "compose/policy.yaml").read_text())
        subprocess.run([SOCKETEER, "cert", self.directory, "--host", "host"], check=True, capture_output=True)
        self.start("--config", str(self.directory / "socketeerd.yaml"), "--listen", "127.0.0.1:0",
                   "--health", "127.0.0.1:0").stop()


class Image(unittest.TestCase):
    def setUp(self):
        self.dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")

    def instruction(self, name):
        """The last one's arguments."""
        return re.findall(rf"^{name} ((?:.*\\\n)*.*)$", self.dockerfile, re.MULTILINE)[-1]

    def test_it_runs_programs_and_no_shell(self):
        self.assertEqual(["/usr/bin/socketeerd"], json.loads(self.instruction("ENTRYPOINT")))
        check = json.loads(self.instruction("HEALTHCHECK").partition("CMD ")[2])
        self.assertEqual(["/usr/bin/socketeer", "--host", load("socketeerd.yaml")["health"], "healthcheck"], check)
        self.assertEqual(load("socketeerd.yaml")["health"], load("compose/socketeerd.yaml")["health"])

    def test_its_user_is_a_number(self):
        self.assertEqual(f"{compose.USER}:{compose.USER}", self.instruction("USER"))

    def test_its_version_is_the_project_s(self):
        version = re.search(r"project\(socketeer VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertIn(f'org.opencontainers.image.version="{version}"', self.instruction("LABEL"))

    def test_what_it_is_built_from_exists(self):
        for line in (ROOT / ".dockerignore").read_text().splitlines():
            if line.startswith("!"):
                self.assertTrue((ROOT / line[1:]).exists(), line)

    def test_each_source_that_cmake_asks_for_is_let_in(self):
        asked = re.findall(r"^\s*add_subdirectory\((\w+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
        allowed = [line[1:].partition("/")[0] for line in (ROOT / ".dockerignore").read_text().splitlines()]
        self.assertLessEqual(set(asked), set(allowed))


if __name__ == "__main__":
    unittest.main()
