// The line at the foot of the page: what Python does, Stop, and progress to save or load.

import { button, element } from "./output.mjs";
import { progress } from "./store.mjs";

const WORDS = {
  loading: "Loading Python",
  ready: "Python is ready",
  running: "Running",
  stopped: "Stopped; the next run starts Python anew",
  failed: "Python could not be loaded; the page is complete without it",
};

export class Panel {
  constructor({ page, ids, inCourse }) {
    Object.assign(this, { page, ids, inCourse });
    this.state = element("span", { className: "live-state" });
    this.bytes = element("progress", { max: 1, hidden: true });
    this.bytes.setAttribute("aria-label", "Python, downloaded");
    this.stop = button("■ Stop", "Stop what is running", () => page.stop());
    this.stop.hidden = true;
    this.solved = element("summary");
    this.root = element("section", { className: "live-panel" }, this.state, this.bytes, this.stop);
    this.root.setAttribute("aria-label", "Python in this page");
    this.root.append(this.#keeping());
    this.root.hidden = true;
    this.count();
  }

  /** What the browser keeps, and how to take it along. */
  #keeping() {
    const save = button("Save to a file", "Save your progress to a file", () => this.#save());
    const file = element("input", { type: "file", accept: ".jsonl", hidden: true });
    file.addEventListener("change", () => this.#load(file));
    const load = button("Load from a file", "Load progress from a file", () => file.click());
    const forget = button("Forget", "Forget your progress in this browser", () => this.#forget());
    const says =
      "Kept in this browser, sent nowhere. The file says what you solved and has the form of the " +
      "one that the notebooks keep: each can read the other’s. Your code stays in this browser. ";
    this.said = element("span", { className: "live-status" });
    const box = element("p", {}, says, save, " ", load, " ", forget, file, " ", this.said);
    return element("details", {}, this.solved, box);
  }

  count() {
    const solved = progress.solved();
    const here = this.ids.filter((id) => solved.has(id)).length;
    const ofPage = this.ids.length ? `${here} of ${this.ids.length} exercises here, ` : "";
    this.solved.textContent = `Solved: ${ofPage}${solved.size} of ${this.inCourse} in the course`;
    if (solved.size) this.root.hidden = false;
  }

  update({ state, done, total, what }) {
    this.root.hidden = false;
    this.root.dataset.state = state;
    const loading = state === "loading" && total !== undefined;
    this.bytes.hidden = !loading;
    if (loading) this.bytes.value = done / total;
    const megabytes = loading && total > 1 ? ` (${(total / 1e6).toFixed(0)} MB, once)` : "";
    this.state.textContent = what ? `Loading ${what}` : WORDS[state] + megabytes;
    this.stop.hidden = !["loading", "running"].includes(state);
  }

  #save() {
    const data = new Blob([progress.text()], { type: "application/jsonl" });
    const link = element("a", { href: URL.createObjectURL(data), download: "progress.jsonl" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    this.#tell("saved as progress.jsonl");
  }

  async #load(input) {
    const [file] = input.files;
    const text = file ? await file.text() : "";
    input.value = "";
    if (!progress.isIn(text)) return this.#tell("that file holds no progress of this course");
    const added = progress.add(text);
    this.page.refresh();
    this.#tell(added ? `${added} entries added` : "nothing new in that file");
  }

  #forget() {
    if (!confirm("Forget your progress on all exercises in this browser?")) return;
    progress.forget();
    this.page.refresh();
    this.#tell("forgotten");
  }

  #tell(text) {
    this.said.textContent = text;
    this.page.announce(text);
  }
}
