"""How long a reader with a slow phone waits for the first text of a page.

Phone and network are those of Lighthouse's profile, but nothing is computed from a fast
run: the browser is slowed down. What counts is the first frame that shows text of the
article; what browsers call the first drawing can be a button above it.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserType

from tools.audit._site import ARGUMENTS, chromium

# A phone draws with its graphics chip; to imitate one takes longer than to do without.
FLAGS = [*ARGUMENTS, "--disable-gpu"]
# The phone of Lighthouse's default settings, and its "mobileSlow4G".
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
}
SLOWER = 4  # times, than the processor of the machine that measures
KBIT = 1024 / 8  # bytes
NETWORK = {
    "offline": False,
    "latency": 150 * 3.75,  # ms; at this level of the network a round trip takes more
    "downloadThroughput": 0.9 * 1.6 * 1024 * KBIT,
    "uploadThroughput": 675 * KBIT,
}
RUNNING = 1000  # ms: a reader's browser has started before a page is asked for
# A frame reports its largest text or picture, if none before was larger. So the first
# report from within the article is its title or what stands below it.
DRAWN = """() => new Promise((resolve) => {
  const ours = ({ element }) => element?.closest("article");
  const look = (list) => list.getEntries().filter(ours).forEach(
    ({ startTime }) => resolve(startTime / 1000));
  new PerformanceObserver(look).observe(
    { type: "largest-contentful-paint", buffered: true });
  setTimeout(() => resolve(Infinity), 5000);
})"""


def first_text(kind: BrowserType, address: str) -> float:
    """Return the seconds until a slowed down browser shows text of a page's article."""
    browser = kind.launch(executable_path=chromium(), args=FLAGS)
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.goto("about:blank")
    page.wait_for_timeout(RUNNING)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address)
    seconds = float(page.evaluate(DRAWN))
    browser.close()
    return round(seconds, 2)
