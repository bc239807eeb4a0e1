// What the browser keeps: edited cells and progress on the exercises. Nothing is sent.

const PREFIX = "attention-course/";
const PROGRESS = `${PREFIX}progress`;
const memory = new Map(); // what the browser would not keep: in some windows, or when full

function read(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}

/** A short name for a text, so that an edit belongs to one version of a cell. */
export function nameOf(text) {
  let hash = 0;
  for (const sign of text) hash = (Math.imul(hash, 31) + sign.codePointAt(0)) | 0;
  return (hash >>> 0).toString(36);
}

export const edits = {
  read: (key) => read(`${PREFIX}edit/${key}`),
  write: (key, code) => write(`${PREFIX}edit/${key}`, code),
  forget: (key) => write(`${PREFIX}edit/${key}`, null),
  /** Whether a key of the browser's store is that of this cell. */
  isOf: (stored, key) => stored === `${PREFIX}edit/${key}`,
};

const lines = (text) => text.split("\n").filter((line) => line.trim());

/** One event; null for a line that is none. */
function event(line) {
  try {
    const entry = JSON.parse(line);
    return typeof entry.exercise === "string" && typeof entry.event === "string" ? entry : null;
  } catch {
    return null;
  }
}

export const progress = {
  /** The events as the course's own file holds them, one line of JSON each. */
  text: () => read(PROGRESS) ?? "",
  /** Whether a text holds any progress. */
  isIn: (text) => lines(text).some(event),
  /** Add the lines that are not there yet; return how many those are. */
  add(text) {
    const known = new Set(lines(this.text()));
    const fresh = lines(text).filter((line) => event(line) && !known.has(line));
    if (fresh.length) write(PROGRESS, [...known, ...fresh, ""].join("\n"));
    return fresh.length;
  },
  /** Add what a run appended to the text that it was given. */
  append(given, after) {
    const fresh = after.startsWith(given) ? after.slice(given.length) : "";
    if (fresh) write(PROGRESS, this.text() + fresh);
  },
  forget: () => write(PROGRESS, null),
  /** The ids of the exercises that were solved, the latest last. */
  solved() {
    const right = lines(this.text()).map(event).filter((one) => one?.event === "CORRECT");
    return new Set(right.map((one) => one.exercise));
  },
};
