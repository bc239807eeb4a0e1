// One cell of a page: its buttons, its editor, what it shows.

import { button, element, Output } from "./output.mjs";
import { edits } from "./store.mjs";

const READS = /\.\.\/([\w/.-]+\.\w+)/g; // files of the course that a cell names

export class Cell {
  #editor = null;
  #code; // as it stands now
  busy = false;

  /** `root` is the cell's element; `page` runs code and speaks. */
  constructor(root, number, page, exercise = null) {
    Object.assign(this, { root, number, page, exercise });
    this.input = root.querySelector(".cell_input");
    this.original = this.input.querySelector("pre").textContent.replace(/\n+$/, "");
    this.output = new Output(root, () => (this.edited ? null : this.output.stored));
    this.output.onChange = () => this.#mark();
    this.name = exercise ? `exercise ${exercise.id}` : `cell ${number}`;
    this.key = exercise ? exercise.id : page.keyFor(this.original);
    this.reads = [...this.original.matchAll(READS)].map((match) => match[1]);
    this.session = 0; // in which it last ran to its end
    this.#code = edits.read(this.key) ?? this.original;
    this.#build();
    if (this.edited) this.#showText();
  }

  get code() {
    return this.#code;
  }

  get edited() {
    return this.#code !== this.original;
  }

  #build() {
    const of = this.exercise ? `your answer to ${this.exercise.title}` : this.name;
    this.run = button(this.exercise ? "Run" : "▶ Run", `Run ${of}`, () => this.page.runCell(this));
    const edit = this.exercise ? "Write" : "Edit";
    this.edit = button(edit, `${edit} ${of}`, () => this.openEditor());
    this.reset = button("Reset", `Reset ${of}: code and output as they were`, () => this.restore());
    this.above = button("Run all above", `Run all above ${of}`, () => this.page.runAbove(this));
    this.stop = button("■ Stop", `Stop ${of}`, () => this.page.stop());
    this.stop.classList.add("live-stop");
    this.status = element("span", { className: "live-status" });
    this.bar = element("div", { className: "live-bar", role: "group", ariaLabel: `Code of ${of}` });
    if (this.exercise) {
      const { id, title } = this.exercise;
      this.check = button("✓ Check", `Check your answer to ${title}`, () => this.page.checkCell(this));
      this.check.classList.add("live-main");
      const ask = (word) => () => this.page.ask(this, `${word}("${id}")`);
      const hint = button("Hint", `Hint for ${title}`, ask("hint"));
      const solution = button("Solution", `Solution of ${title}`, ask("solution"));
      this.bar.append(this.check, this.edit, this.run, hint, solution, this.reset);
    } else {
      this.run.classList.add("live-main");
      this.bar.append(this.run, this.edit, this.reset);
      if (this.number > 2) this.bar.append(this.above);
    }
    this.bar.append(this.status, this.stop);
    this.input.after(this.bar);
    this.root.classList.add("live");
    this.#mark();
  }

  /** Buttons follow the state: Stop while it runs, Reset when there is something to reset. */
  #mark() {
    this.root.classList.toggle("live-edited", this.edited);
    this.exercise?.checkRoot.classList.toggle("live-begun", this.edited);
    this.reset.hidden = !this.edited && !this.output.shown;
    this.stop.hidden = !this.busy;
    for (const one of [this.check, this.run, this.reset]) {
      one?.setAttribute("aria-disabled", String(this.busy));
    }
  }

  say(text, tone = "") {
    this.status.textContent = text;
    this.status.dataset.tone = tone;
  }

  /** While it runs, Run and Reset wait and keep the focus; Stop, when it goes, gives it back. */
  setBusy(busy) {
    const held = document.activeElement === this.stop;
    this.busy = busy;
    this.#mark();
    if (held && !busy) (this.check ?? this.run).focus();
  }

  // ---- code

  #change(code) {
    this.#code = code;
    if (this.edited) edits.write(this.key, code);
    else edits.forget(this.key);
    this.output.age();
    this.exercise?.verdict?.age();
    this.#mark();
  }

  /** Take over what was written in another tab; an editor that stands open keeps its own. */
  hear(code) {
    if (this.#editor) return this.say("also changed in another tab: the last change is kept", "bad");
    this.#code = code ?? this.original;
    if (this.edited) this.#showText();
    else this.#replaceInput(null);
    this.output.age();
    return this.#mark();
  }

  /** Show an edited cell that was read from the browser's store, without an editor. */
  #showText() {
    this.plain = element("pre", { className: "live-plain", tabIndex: 0, textContent: this.#code });
    this.#replaceInput(this.plain);
  }

  #replaceInput(by) {
    this.replaced?.remove();
    this.replaced = by;
    for (const child of this.input.children) child.hidden = child !== by;
    if (by) this.input.append(by);
    else for (const child of this.input.children) child.hidden = false;
  }

  async openEditor() {
    if (!this.#editor) {
      const place = element("div", { className: "live-editor" });
      // The page's own keys (/ opens the search) must not see what is typed here.
      place.addEventListener("keydown", (event) => event.stopPropagation());
      place.addEventListener("focusout", () => place.querySelector(".cm-scroller")?.scrollTo({ left: 0 }));
      const options = {
        text: this.#code,
        label: `Code of ${this.name}`,
        describedBy: "live-keys",
        onChange: (code) => this.#change(code),
        onRun: () => (this.exercise ? this.page.checkCell(this) : this.page.runCell(this)),
        onLeave: () => (this.check ?? this.run).focus(),
      };
      this.#editor = await this.page.editorIn(place, options);
      this.#replaceInput(place);
    }
    this.#editor.focus();
  }

  restore() {
    if (this.busy) return; // what is still to come would have no place
    const lost = this.edited ? this.#code : null;
    this.#editor = null;
    this.#replaceInput(null);
    this.#change(this.original);
    this.output.clear();
    this.exercise?.verdict?.clear();
    this.say("as it was");
    if (lost !== null) this.#offerBack(lost);
    this.edit.focus();
  }

  #offerBack(lost) {
    const back = button("Undo", `Bring back the code of ${this.name}`, () => {
      this.#change(lost);
      this.#showText();
      this.say("as you had it");
      this.edit.focus();
    });
    this.status.append(" ", back);
  }
}
