// Reads the book in Firefox: opens every page, and does on one what readers do.
//   node firefox.mjs '{"library": …, "executablePath": …, "site": …, "theme": …, "pages": […]}'
// writes one line of JSON: the version, and a row for each page and each step.
import { asked, launched, opened } from "./_browser.mjs";

const CHAPTER = "notebooks/ch01_softmax";
const RIGHT = "def shares_of(s):\ne = np.exp(s - s.max())\nreturn e / e.sum()";
const WRONG = "def shares_of(s):\nreturn s / s.sum()";

function expect(held, words) {
  if (!held) throw new Error(words);
}

// ---- what a reader does on a page

class Reader {
  constructor(page) {
    this.page = page;
  }

  /** Name an element by its text, if any is given, so that later steps can address it. */
  async called(name, selector, text = "") {
    await this.page.waitForSelector(".live-bar");
    await this.page.evaluate(
      (id, where, words) => {
        const all = [...document.querySelectorAll(where)];
        all.find((one) => one.textContent.includes(words)).dataset.audit = id;
      },
      name, selector, text,
    );
    return `[data-audit="${name}"]`;
  }

  cell() {
    return this.called("cell", "div.cell.live", "divided by the sum");
  }

  exercise() {
    return this.called("exercise", "#ex-ch01-shares ~ div.cell.live");
  }

  async press(cell, word) {
    const find = (where, text) =>
      [...document.querySelectorAll(`${where} .live-bar button`)].find(
        (one) => !one.hidden && one.textContent.includes(text),
      );
    await (await this.page.waitForFunction(find, {}, cell, word)).click();
  }

  async edit(cell) {
    if (!(await this.page.$(`${cell} .cm-content`))) {
      await this.press(cell, cell.includes("exercise") ? "Write" : "Edit");
    }
    await (await this.page.waitForSelector(`${cell} .cm-content`)).focus();
  }

  async write(cell, code) {
    await this.edit(cell);
    await this.page.keyboard.down("Control");
    await this.page.keyboard.press("a");
    await this.page.keyboard.up("Control");
    for (const [number, line] of code.split("\n").entries()) {
      if (number) await this.page.keyboard.press("Enter");
      await this.page.keyboard.type(line);
    }
  }

  text(selector) {
    return this.page.$eval(selector, (one) => one.innerText.trim());
  }

  /** What a cell printed, once nothing more has come for a while. */
  async output(cell) {
    await this.page.waitForSelector(`${cell} .live-output`);
    let [before, now] = ["", ""];
    while (!now || now !== before) {
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 400));
      now = await this.text(`${cell} .live-output`);
    }
    return now;
  }

  /** The text of the panel below an exercise, once it is of this kind. */
  async verdict(cell, kind) {
    await this.page.waitForSelector(`${cell} + * .${kind}`);
    return this.text(`${cell} + * .${kind}`);
  }

  says(cell, words) {
    const told = (where, text) => document.querySelector(where)?.textContent.includes(text);
    return this.page.waitForFunction(told, {}, `${cell} .live-status`, words);
  }

  focused(selector) {
    return this.page.evaluate((one) => document.activeElement.matches(one), selector);
  }
}

// ---- the steps; each begins on a page that nobody has touched

const steps = {
  async "a cell shows what the book shows"(reader) {
    const cell = await reader.cell();
    const stored = await reader.text(`${cell} .cell_output`);
    await reader.press(cell, "Run");
    const shown = await reader.output(cell);
    expect(shown === stored, `shows ${shown}, the book ${stored}`);
  },

  async "a wrong answer is named, a right one is right"(reader) {
    const cell = await reader.exercise();
    await reader.write(cell, WRONG);
    await reader.press(cell, "Check");
    const named = await reader.verdict(cell, "ac-diagnosed");
    expect(named.includes("ch01.shares"), `the panel says ${named}`);
    await reader.write(cell, RIGHT);
    await reader.press(cell, "Check");
    const right = await reader.verdict(cell, "ac-correct");
    expect(right.includes("Correct"), `the panel says ${right}`);
  },

  async "a slash arrives in the editor"(reader) {
    const cell = await reader.exercise();
    await reader.write(cell, "a = 1 / 2");
    expect(await reader.focused(".cm-content"), "the focus has left the editor");
    const code = await reader.text(`${cell} .cm-content`);
    expect(code === "a = 1 / 2", `the editor holds ${code}`);
  },

  async "Escape leaves the editor"(reader) {
    const cell = await reader.cell();
    await reader.edit(cell);
    expect(await reader.focused(".cm-content"), "the editor has not got the focus");
    await reader.page.keyboard.press("Escape");
    expect(await reader.focused(`${cell} .live-bar button`), "the focus is on no button");
  },

  async "Stop ends an endless loop, and a later run works"(reader) {
    const cell = await reader.cell();
    await reader.write(cell, "print('begun', flush=True)\nwhile True: pass");
    await reader.press(cell, "Run");
    const begun = await reader.output(cell);
    expect(begun === "begun", `the loop printed ${begun}`);
    await reader.press(cell, "Stop");
    await reader.says(cell, "Stopped");
    await reader.press(cell, "Reset");
    const stored = await reader.text(`${cell} .cell_output`);
    await reader.press(cell, "Run");
    const shown = await reader.output(cell);
    expect(shown === stored, `shows ${shown}, the book ${stored}`);
  },

  async "an edit survives a reload"(reader) {
    await reader.write(await reader.cell(), "print(6 * 7)");
    await reader.page.reload();
    const plain = await reader.text(`${await reader.cell()} .live-plain`);
    expect(plain === "print(6 * 7)", `after the reload it holds ${plain}`);
  },

  async "a figure follows its slider"(reader) {
    const figure = "#fig-live-softmax";
    await reader.page.$eval(figure, (one) => one.scrollIntoView());
    await reader.page.waitForSelector(`${figure} .ac-alive`);
    const seen = async () => [
      await reader.text(`${figure} .ac-words`),
      await reader.page.$eval(`${figure} .ac-stage`, (one) => one.innerHTML),
    ];
    const [words, picture] = await seen();
    await (await reader.page.$(`${figure} input[type=range]`)).focus();
    await reader.page.keyboard.press("ArrowRight");
    const [otherWords, otherPicture] = await seen();
    expect(words !== otherWords, "the words stay");
    expect(picture !== otherPicture, "the picture stays");
  },
};

/** What a page has that a reader cannot see, and how many formulas it has. */
async function faults() {
  const maths = [...document.querySelectorAll("article .math")];
  const width = (math) => math.querySelector("mjx-container")?.getBoundingClientRect().width ?? 0;
  const unset = maths.filter((math) => math.checkVisibility() && width(math) < 2);
  const images = [...document.images];
  for (const image of images) image.loading = "eager";
  await Promise.all(images.map((image) => image.decode().catch(() => {})));
  const broken = images.filter((image) => !image.naturalWidth);
  return {
    formulas: maths.length,
    theme: document.documentElement.dataset.theme,
    found: [
      ...unset.map((math) => `a formula has no width: ${math.textContent}`),
      ...broken.map((image) => `a picture is not there: ${image.src}`),
    ],
  };
}

// ---- the rows

/** Do something on a page and return its row; what is thrown is one of its errors. */
async function row(browser, name, what, act) {
  const begin = performance.now();
  const { page, errors, close } = await opened(browser, `${asked.site}${name}.html`);
  const more = (await act(page, errors).catch((error) => void errors.push(String(error)))) ?? {};
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  await close();
  console.error(`${asked.theme} ${name} ${what}: ${seconds} s`);
  return { page: name, what, formulas: 0, errors, seconds, ...more };
}

async function look(page, errors) {
  const { formulas, theme, found } = await page.evaluate(faults);
  errors.push(...found);
  expect([asked.theme, undefined].includes(theme), `the page is ${theme}`); // 404 has none
  return { formulas };
}

const browser = await launched({ ...asked, kind: "firefox" });
const rows = [];
for (const name of asked.pages) rows.push(await row(browser, name, "loads", look));
for (const [what, step] of Object.entries(steps)) {
  rows.push(await row(browser, CHAPTER, what, (page) => step(new Reader(page))));
}
console.log(JSON.stringify({ version: await browser.version(), rows }));
await browser.close();
