// Runs a Python program in the worker of a page of the book, as a cell of it would run.
//   node verdicts.mjs '{"library": …, "kind": "firefox", "address": …, "program": …}'
// writes one line of JSON: the version, what the program's last line showed, and errors.
import { asked, launched, opened } from "./_browser.mjs";

/** In the page: its own interpreter, which starts its own worker. */
async function judged(program) {
  const { src } = [...document.scripts].find((one) => one.src.includes("/livecode.js"));
  const { Interpreter } = await import(new URL("interpreter.mjs", src).href);
  const progress = { text: () => "", append() {} }; // a reader's own stays as it is
  const interpreter = new Interpreter({ opening: "", progress, onChange() {} });
  const { failed, shown } = await interpreter.run({ code: program, name: "verdicts" });
  return { error: failed ?? shown.error ?? "", text: shown?.text ?? "" };
}

const browser = await launched(asked);
const { page, errors } = await opened(browser, asked.address);
const { error, text } = await page.evaluate(judged, asked.program);
if (error) errors.push(error);
console.log(JSON.stringify({ version: await browser.version(), text, errors }));
await browser.close();
