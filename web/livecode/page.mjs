// Makes the cells of one page live. Nothing beyond this script is loaded before a reader
// presses a button.

import { Cell } from "./cell.mjs";
import { Interpreter } from "./interpreter.mjs";
import { showProgress } from "./map.mjs";
import { button, element, Output } from "./output.mjs";
import { Panel } from "./panel.mjs";
import { edits, nameOf, progress } from "./store.mjs";

const CHECK = /check\("([^"]+)", (\w+)/; // the exercise, and the name of the answer
const ENOUGH = 5; // milliseconds of work before the browser gets its turn
const MISSING = /name '(\w+)' is not defined/;
const hasName = (code, name) => new RegExp(`\\b${name}\\b`).test(code);

class Page {
  #keys = new Map(); // how many cells have had each key

  constructor({ page, how, exercises }) {
    Object.assign(this, { name: page, how });
    this.speech = element("div", { className: "live-speech", ariaLive: "polite" });
    this.keys = element("p", {
      id: "live-keys",
      className: "live-speech",
      textContent: "Shift and Enter run the code. Escape leaves the editor.",
    });
    (document.querySelector("main") ?? document.body).append(this.speech, this.keys);
    this.inCourse = Number(exercises);
    this.cells = [];
    addEventListener("storage", ({ key, newValue }) => {
      this.cells.find((cell) => edits.isOf(key, cell.key))?.hear(newValue);
    });
  }

  /** Make the cells live, a few at a time: meanwhile a slow phone can scroll and tap. */
  async begin() {
    let start = -Infinity; // the scripts themselves took their time
    for (const cell of this.#cells()) {
      this.cells.push(cell);
      this.interpreter ??= new Interpreter({
        opening: cell.original,
        progress,
        onChange: (change) => this.#changed(change),
      });
      if (performance.now() - start < ENOUGH) continue;
      await new Promise((done) => setTimeout(done));
      start = performance.now();
    }
    const ids = this.cells.flatMap((cell) => cell.exercise?.id ?? []);
    this.panel = new Panel({ page: this, ids, inCourse: this.inCourse });
    document.querySelector("article").append(this.panel.root);
    this.#markSolved();
  }

  /** Every cell that can run here; a check belongs to the exercise before it. */
  *#cells() {
    const roots = [...document.querySelectorAll("article div.cell")];
    const live = roots.filter((root) => root.querySelector(".cell_input pre"));
    let number = 0;
    for (const [place, root] of live.entries()) {
      const has = (tag) => root.classList.contains(`tag_${tag}`);
      if (has("torch") || has("check")) continue;
      number += 1;
      const next = live[place + 1];
      const pair = has("exercise") && next?.classList.contains("tag_check");
      yield new Cell(root, number, this, pair ? this.#exercise(root, next, number) : null);
    }
  }

  #exercise(root, checkRoot, number) {
    const code = checkRoot.querySelector(".cell_input pre").textContent.trim();
    const [, id, answer] = code.match(CHECK);
    const heading = document.getElementById(`ex-${id.replace(".", "-")}`);
    const title = heading?.querySelector(".admonition-title");
    const text = title?.textContent.replace(/^Exercise · /, "") ?? id;
    checkRoot.classList.add("live-check");
    return { id, answer, title: text, code, checkRoot, heading: title, number };
  }

  /** Where a cell's edit is kept: by its code, and by a number if that is not its alone. */
  keyFor(code) {
    const key = `${this.name}/${nameOf(code)}`;
    const number = (this.#keys.get(key) ?? 0) + 1;
    this.#keys.set(key, number);
    return number === 1 ? key : `${key}.${number}`;
  }

  announce(text) {
    this.speech.textContent = "";
    requestAnimationFrame(() => (this.speech.textContent = text.slice(0, 500)));
  }

  #changed(change) {
    this.panel?.update(change);
    const share = Math.round((100 * change.done) / change.total);
    const says = change.what ? `loading ${change.what} …` : `loading Python: ${share} %`;
    if (!change.what && change.state !== "loading") return;
    for (const cell of new Set([this.current, this.asking])) cell?.say(says);
  }

  /** Run code for a cell and show the result in `place`. */
  async #perform(cell, code, place, name) {
    this.#use(cell);
    const first = this.interpreter.state === "off";
    this.announce(first ? "Loading Python. This takes a few seconds." : `Running ${cell.name}`);
    place.fresh();
    let begin = 0;
    const onStart = () => {
      begin = performance.now();
      cell.say("running …");
    };
    const onStream = (stream, text) => place.stream(stream, text);
    const outcome = await this.interpreter.run({ code, name, reads: cell.reads, onStart, onStream });
    cell.setBusy(false);
    if (outcome.stopped) return this.#stopped(cell);
    if (outcome.failed !== undefined) return this.#failed(cell, outcome.failed);
    place.show(outcome.shown);
    if (outcome.shown.error === undefined) cell.session = outcome.session;
    const seconds = (performance.now() - begin) / 1000;
    const took = seconds < 0.1 ? "under 0.1 s" : `${seconds.toFixed(1)} s`;
    const failed = outcome.shown.error !== undefined;
    cell.say(failed ? "an error" : `done, ${took}`, failed ? "bad" : "good");
    const said = place.text || "nothing to show";
    this.announce(`${cell.name}, ${failed ? "error" : "done"}: ${said}`);
    this.#markSolved();
    return outcome.shown;
  }

  #use(cell) {
    this.current = cell;
    cell.setBusy(true);
    cell.say("waiting …");
  }

  #stopped(cell) {
    const text = "Stopped. Python starts anew with the next run; what ran before is forgotten.";
    cell.say(text, "bad");
    this.announce(text);
    return null;
  }

  #failed(cell, message) {
    cell.say(`Python could not be loaded (${message}). The page is complete without it.`, "bad");
    const again = button("Try again", `Try again to run ${cell.name}`, () =>
      cell.exercise ? this.checkCell(cell) : this.runCell(cell),
    );
    const how = element("a", { href: this.how }, "Run it on your own machine");
    cell.status.append(" ", again, " ", how);
    this.announce(`Python could not be loaded: ${message}`);
    return null;
  }

  async runCell(cell) {
    if (cell.busy) return null;
    const shown = await this.#perform(cell, cell.code, cell.output, cell.name);
    this.#offerAbove(cell, cell.output, shown, () => this.runCell(cell));
    return shown;
  }

  /** A name that is not there may be one of a cell above that has not run. */
  #offerAbove(cell, output, shown, again) {
    const missing = (shown?.error ?? shown?.text)?.match(MISSING)?.[1];
    if (!missing || !this.#unrun(cell).some(({ code }) => hasName(code, missing))) return;
    const text = "Run all cells above, then this one";
    const run = button(text, text, async () => {
      if (await this.runAbove(cell)) await again();
    });
    const says = "A cell above defines this name and has not run yet. ";
    output.append(element("p", { className: "live-offer" }, says, run));
  }

  #unrun(cell) {
    const above = this.cells.slice(0, this.cells.indexOf(cell));
    return above.filter((one) => !one.exercise && one.session !== this.interpreter.session);
  }

  /** Run all cells above but answers, in order; false if one did not finish well. */
  async runAbove(cell) {
    if (cell.busy) return false;
    const above = this.cells.slice(0, this.cells.indexOf(cell));
    const cells = above.filter((one) => !one.exercise); // no cell builds on an answer
    cell.setBusy(true); // it waits: run now, it would run too early
    this.asking = cell;
    const stuck = await this.#firstThatFails(cells, cell);
    this.asking = null;
    cell.setBusy(false);
    if (stuck) {
      cell.say(`${stuck.name} did not finish: look there`, "bad");
      stuck.bar.scrollIntoView({ block: "center" });
      return false;
    }
    this.#outlived(cell);
    cell.say("all cells above have run", "good");
    this.announce("All cells above have run");
    return true;
  }

  /** An error may have been for want of the cells above; so it goes, with its offer. */
  #outlived(cell) {
    const offer = cell.root.querySelector(".live-offer");
    const held = offer?.contains(document.activeElement);
    for (const shown of [cell.output, cell.exercise?.verdict]) if (shown?.failed) shown.clear();
    offer?.remove();
    if (held) (cell.check ?? cell.run).focus();
  }

  async #firstThatFails(cells, asking) {
    for (const [place, one] of cells.entries()) {
      asking.say(`running ${place + 1} of ${cells.length} cells above …`);
      const shown = await this.runCell(one);
      if (!shown || shown.error !== undefined) return one;
    }
    return null;
  }

  /** Run an answer, then its check; the verdict stands where the book's panel stood. */
  async checkCell(cell) {
    if (cell.busy) return null;
    const { answer, code, checkRoot } = cell.exercise;
    cell.exercise.verdict ??= new Output(checkRoot);
    const { verdict } = cell.exercise;
    const ran = await this.runCell(cell);
    if (!ran || ran.error !== undefined) {
      verdict.clear(); // it was that of other code
      return ran;
    }
    if (!cell.output.text) cell.output.clear();
    if (!hasName(cell.code, answer)) { // Python may still know that of an earlier answer
      verdict.clear();
      this.#lacks(cell, `nothing to check: ${answer} is not in this cell`);
      return ran;
    }
    const shown = await this.#perform(cell, code, verdict, "the check");
    if (shown?.html?.includes("ac-not-attempted")) this.#lacks(cell, "nothing to check yet: press Write");
    this.#offerAbove(cell, verdict, shown, () => this.checkCell(cell));
    return shown;
  }

  #lacks(cell, text) {
    cell.say(text, "bad");
    this.announce(`${cell.name}: ${text}`);
  }

  /** Ask for a hint or the solution; it stands under the cell. */
  async ask(cell, code) {
    if (cell.busy) return null;
    cell.asked ??= Output.below(cell.bar);
    return this.#perform(cell, code, cell.asked, "the question");
  }

  stop() {
    this.interpreter.stop();
  }

  async editorIn(place, options) {
    try {
      const { openEditor } = await import("./editor.mjs");
      return openEditor(place, options);
    } catch {
      return plainEditor(place, options);
    }
  }

  #markSolved() {
    const solved = progress.solved();
    for (const { exercise } of this.cells) {
      if (!exercise?.heading) continue;
      this.#markHeading(exercise.heading, solved.has(exercise.id));
      exercise.checkRoot.classList.toggle("live-solved", solved.has(exercise.id));
    }
    this.panel?.count();
    showProgress();
  }

  #markHeading(heading, solved) {
    heading.classList.toggle("live-solved", solved);
    heading.querySelector(".live-mark")?.remove();
    if (solved) heading.append(element("span", { className: "live-mark" }, "✓ solved"));
  }

  /** After progress was read from a file, or forgotten. */
  refresh() {
    this.#markSolved();
  }
}

/** A bare field, for when the editor cannot be loaded. */
function plainEditor(place, { text, label, describedBy, onChange, onRun, onLeave }) {
  const area = element("textarea", { value: text, ariaLabel: label, spellcheck: false });
  area.setAttribute("aria-describedby", describedBy);
  area.rows = Math.max(4, text.split("\n").length + 1);
  area.addEventListener("input", () => onChange(area.value));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") onLeave();
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) {
      event.preventDefault();
      onRun();
    }
  });
  place.append(area);
  return { focus: () => area.focus() };
}

export function begin(dataset) {
  if (document.querySelector("article div.cell:not(.tag_torch)")) new Page(dataset).begin();
}
