// Opens pages in Firefox over WebDriver BiDi, which Firefox speaks without a driver.
// node firefox.mjs PUPPETEER BROWSER SITE CHAPTER PAGE...  ->  one line of JSON
import { pathToFileURL } from "node:url";

const [library, executablePath, site, chapter, ...names] = process.argv.slice(2);
const { default: puppeteer } = await import(pathToFileURL(library));
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
const rows = [];

async function opened(name) {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("request", (request) => {
    if (!request.url().startsWith(site) && /^https?:/.test(request.url())) errors.push(request.url());
  });
  await page.goto(`${site}${name}.html`, { waitUntil: "load" });
  return { page, errors };
}

for (const name of names) {
  const { page, errors } = await opened(name);
  const words = await page.$eval("article", (a) => a.innerText.split(/\s+/).length);
  const formulas = await page.$$eval("mjx-container", (all) => all.length);
  rows.push({ page: name, what: "loads", words, formulas, errors, seconds: 0 });
  await page.close();
}

const { page, errors } = await opened(chapter);
await page.waitForSelector(".live-bar button.live-main", { timeout: 20_000 });
const begin = performance.now();
const stored = await page.evaluate(() => {
  const cell = [...document.querySelectorAll("div.cell.live")].find(
    (each) => each.querySelector(".live-bar") && each.querySelector(".cell_output pre")
      && each.textContent.includes("divided by the sum"),
  );
  cell.id = "audited";
  cell.querySelector("button.live-main").click();
  return cell.querySelector(".cell_output").innerText.trim();
});
await page.waitForFunction(
  () => document.querySelector("#audited .live-output")?.innerText.trim(),
  { timeout: 90_000 },
);
await new Promise((resolve) => setTimeout(resolve, 300));
const seconds = Math.round((performance.now() - begin) / 100) / 10;
const shown = await page.$eval("#audited .live-output", (output) => output.innerText.trim());
if (shown !== stored) errors.push(`shows ${shown} and the book ${stored}`);
rows.push({ page: chapter, what: "runs a live cell", words: 0, formulas: 0, errors, seconds });
console.log(JSON.stringify({ version: await browser.version(), rows }));
await browser.close();
