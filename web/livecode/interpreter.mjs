// The page's one Python: a worker that is started when it is first needed, and a queue.

export class Interpreter {
  #worker = null;
  #queue = []; // the first is running
  #session = 0; // counts the starts: what ran in an earlier one is forgotten

  /**
   * `opening`: the page's import cell, run before anything else in each new session.
   * `onChange({state, done, total, what, message})`: state is one of off, loading,
   * ready, running, stopped, failed.
   */
  constructor({ opening, progress, onChange }) {
    Object.assign(this, { opening, progress, onChange });
    this.state = "off";
  }

  get session() {
    return this.#session;
  }

  /** Run a job {code, name, reads, onStart, onStream}; resolves, never rejects, to what came of it. */
  run(job) {
    return new Promise((resolve) => {
      this.#queue.push({ ...job, resolve });
      if (!this.#worker) this.#start();
      else if (this.#queue.length === 1 && this.state !== "loading") this.#next();
    });
  }

  /** End whatever runs. The variables are lost with it. */
  stop() {
    if (this.#worker) this.#end("stopped", { stopped: true });
  }

  #start() {
    this.#session += 1;
    this.#change("loading", { done: 0, total: 1 });
    try {
      this.#worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
    } catch (error) {
      this.#end("failed", { failed: String(error.message) });
      return;
    }
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end("failed", { failed: event.message || "the worker could not be loaded" });
    };
    this.#worker.postMessage({ type: "start" });
  }

  #hear(message) {
    const job = this.#queue[0];
    if (message.type === "loading") {
      this.#change(message.id === undefined ? "loading" : this.state, message);
    } else if (message.type === "ready") {
      this.#queue.unshift({ code: this.opening, name: "the import cell", resolve() {} });
      this.#next();
    } else if (message.type === "stream") {
      job.onStream?.(message.stream, message.text);
    } else if (message.type === "done") {
      this.progress.append(job.given, message.progress);
      this.#queue.shift();
      job.resolve({ shown: message.shown, session: this.#session });
      if (this.#queue.length) this.#next();
      else this.#change("ready");
    } else if (message.type === "failed") {
      this.#end("failed", { failed: message.message });
    }
  }

  #next() {
    const job = this.#queue[0];
    job.given = this.progress.text();
    this.#change("running");
    job.onStart?.();
    const { code, name, reads } = job;
    this.#worker.postMessage({ type: "run", id: 0, code, name, reads, progress: job.given });
  }

  #end(state, outcome) {
    this.#worker?.terminate();
    this.#worker = null;
    const left = this.#queue.splice(0);
    this.#change(state, { message: outcome.failed });
    for (const job of left) job.resolve(outcome);
  }

  #change(state, details = {}) {
    this.state = state;
    this.onChange({ state, ...details });
  }
}
