"""The page, as a browser shows it."""

import pathlib
import re
import sys
import unittest
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import browser  # noqa: E402
from reported import ReportTest  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
SAMPLES = ("half-close", "several", "hostile", "large", "none")


class Page(ReportTest):
    """What the file is; no browser is needed."""

    def test_is_well_formed(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                ElementTree.parse(self.reports(sample).html)

    def test_needs_nothing_besides_itself(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                for element in ElementTree.parse(self.reports(sample).html).iter():
                    self.assertNotIn(element.tag, ("script", "img", "iframe", "object", "embed", "base", "form", "video", "audio"))
                    for name, value in element.attrib.items():
                        self.assertFalse(name.startswith("on") and name != "on", name)
                        if name.split("}")[-1] in ("href", "src"):
                            self.assertRegex(value, r"\A(#s\d+|data:,)\Z")
                    if element.tag == "style":
                        self.assertNotRegex(element.text, r"url\(|@import|//")

    def test_marks_of_hosts_with_clocks_seconds_apart_are_drawn_in_causal_order(self):
        root = ElementTree.parse(self.reports("half-close").html).getroot()
        marks = {}
        for event in root.iter(f"{SVG}g"):
            mark = event.find(f"{SVG}path[@class='mark']")
            if mark is not None:
                marks[event.find(f"{SVG}text[@class='title']").text] = float(re.match(r"M\S+ (\S+?)l", mark.get("d"))[1])
        self.assertEqual(sorted(marks, key=marks.get),
                         ["open server tcp, listening", "open client tcp", "accept server as peer", "close peer, reset"])
        self.assertEqual(len(set(marks.values())), 4)
        arrows = [event.find(f"{SVG}path").get("d") for event in root.iter(f"{SVG}g") if "data-from" in event.attrib]
        self.assertEqual(len(arrows), 5)
        for arrow in arrows:
            start, end = map(float, re.match(r"M\S+ (\S+?)L\S+ (\S+)", arrow).groups())
            self.assertLessEqual(start, end, arrow)

    def test_a_thousand_steps_are_a_small_page(self):
        page = self.reports("large").html
        self.assertLess(page.stat().st_size, 3 << 20)
        root = ElementTree.parse(page).getroot()
        self.assertEqual(len([group for group in root.iter(f"{SVG}g") if "data-event" in group.attrib]), 1000)


class Shown(ReportTest):
    def setUp(self):
        browser.require()
        super().setUp()

    def shown(self, sample):
        document, console = browser.document(self.reports(sample).html, self.directory)
        self.assertEqual(console, [])
        return document

    def test_failures_come_first_and_open(self):
        document = self.shown("several")
        self.assertIn("2 of 6 failed", document.text)
        sections = [(section["id"], "open" in section) for section in document.all("details") if "id" in section]
        self.assertEqual(sections, [("s1", True), ("s3", True), ("s2", False), ("s0", False), ("s4", False), ("s5", False)])
        self.assertIn("#s1", [link.get("href") for link in document.all("a")])

    def test_a_failure_is_told_in_full(self):
        text = self.shown("half-close").text
        for part in ("half-close.yaml:56:5: receive: Connection reset by peer (ECONNRESET)",
                     "sockets/client: CONNECTED, local 10.0.0.2:53124, peer 10.0.0.1:40123",
                     "b's clock is 2.003s ahead, \u00b1400us", "c's clock is unknown", "Sockets at the failure", "LISTENING",
                     "close beacon: sockets/beacon: there is no such socket", "the greeting", "send client", "64.0 KiB received",
                     "ECONNREFUSED", "run uname -r", "1.24s"):
            self.assertIn(part, text)

    def test_hostile_text_stays_text(self):
        document = self.shown("hostile")
        self.assertEqual({tag for tag, _ in document.elements} & {"script", "img"}, set())
        self.assertIn("</script><script>document.title='owned'</script>]]>--><img src=x onerror=alert(1)>", document.text)
        self.assertNotRegex(document.text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
        self.assertIn("1 failed - socketeer run", document.text)  # its title

    def test_a_page_that_asks_for_something_is_noticed(self):
        page = self.reports("none").html
        page.write_text(page.read_text(encoding="utf-8").replace("<footer>", '<img src="http://192.0.2.1/x.png"/><footer>'),
                        encoding="utf-8")
        _, console = browser.document(page, self.directory)
        self.assertRegex("\n".join(console), "Content Security Policy")

    def test_by_day_and_by_night(self):
        page = self.reports("half-close").html
        day = browser.Picture(page, self.directory)
        self.assertEqual((day.size, day.corner), ((1280, 1500), (0xff, 0xff, 0xff)))
        night = browser.Picture(page, self.directory, "--blink-settings=preferredColorScheme=0")
        self.assertEqual(night.corner, (0x14, 0x18, 0x1e))


if __name__ == "__main__":
    unittest.main()
