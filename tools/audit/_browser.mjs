// What the audits share: a browser, and a page with a note of all that goes wrong on it.
import { pathToFileURL } from "node:url";

const THEMES = { dark: 0, light: 1 }; // as Firefox numbers what it tells pages
const protocolTimeout = 600_000; // ms: every verdict of the course is one call

/** What Python asks for: one JSON text as the only argument. */
export const asked = JSON.parse(process.argv[2]);

/** A browser: "firefox" over WebDriver BiDi, which needs no driver, or "chrome". */
export async function launched({ library, kind, executablePath, flags = [], theme = "light" }) {
  const { default: puppeteer } = await import(pathToFileURL(library));
  const extraPrefsFirefox = { "layout.css.prefers-color-scheme.content-override": THEMES[theme] };
  const options = kind === "firefox" ? { extraPrefsFirefox } : { args: flags };
  return puppeteer.launch({ browser: kind, executablePath, headless: true, protocolTimeout, ...options });
}

/** A page of the book for a reader who was never here, and a list of what went wrong. */
export async function opened(browser, address) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(`script: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    const elsewhere = protocol.startsWith("http") && origin !== new URL(address).origin;
    if (elsewhere) errors.push(`asks another host: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(address, { waitUntil: "load" });
  return { page, errors, close: () => context.close() };
}
