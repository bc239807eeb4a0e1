// Shows what was solved: in the contents of every page, and on the map of the course.

import { exercises } from "./exercises.mjs"; // written by book/_ext/livecode.py
import { progress } from "./store.mjs";

const CHAPTER = /\/(ch\d\d)_[^/]*$/;
const chapterOf = (link) => new URL(link.href).pathname.match(CHAPTER)?.[1];

function make(tag, className, ...children) {
  const made = Object.assign(document.createElement(tag), { className });
  made.append(...children);
  return made;
}

/** How many exercises each chapter has, and how many of them are solved. */
function counts() {
  const solved = progress.solved();
  const count = (ids) => ({ of: ids.length, solved: ids.filter((id) => solved.has(id)).length });
  return new Map(Object.entries(exercises).map(([chapter, ids]) => [chapter, count(ids)]));
}

/** In the contents: 3/9 beside a chapter, or a check mark; in words for who hears it. */
function markContents(found) {
  for (const link of document.querySelectorAll(".bd-links a.reference")) {
    link.querySelector(".course-count")?.remove();
    const { of, solved } = found.get(chapterOf(link)) ?? {};
    if (!solved) continue;
    const seen = make("span", "", solved === of ? "✓" : `${solved}/${of}`);
    seen.ariaHidden = "true";
    const heard = make("span", "visually-hidden", ` ${solved} of ${of} exercises solved`);
    link.append(make("span", "course-count", seen, heard));
  }
}

function bar({ of, solved }) {
  const shown = make("progress", "");
  shown.max = of;
  shown.value = solved;
  return make("label", "course-progress", `${solved} of ${of} solved`, shown);
}

/** On the map: a bar at every chapter, and the way on at the first that is not done. */
function markMap(found, begun, next) {
  for (const stop of document.querySelectorAll(".course-map > li")) {
    for (const old of stop.querySelectorAll(".course-progress, .course-continue")) old.remove();
    const link = stop.querySelector(".course-question a");
    const chapter = chapterOf(link);
    const count = found.get(chapter);
    stop.classList.toggle("course-done", count.solved === count.of);
    stop.classList.toggle("course-next", chapter === next);
    if (!begun) continue;
    const facts = stop.querySelector(".course-facts");
    facts.after(bar(count));
    if (chapter === next) facts.after(wayOn(link));
  }
}

function wayOn(link) {
  const made = make("a", "course-continue", "Continue");
  made.href = link.href;
  made.ariaLabel = `Continue: ${link.textContent}`;
  return made;
}

let begin; // the card that leads to the first chapter, as the book has it

/** The card that led to the first chapter leads to the next one. */
function markCard(next) {
  const card = document.querySelector(".course-begin");
  if (!card) return;
  begin ??= card.cloneNode(true);
  card.replaceChildren(...begin.cloneNode(true).children);
  const stop = document.querySelector(".course-map > .course-next");
  if (!next || !stop) return;
  const { href, textContent } = stop.querySelector(".course-question a");
  const [says] = card.querySelectorAll("p");
  says.textContent = textContent;
  const number = stop.querySelector(".course-number").textContent;
  card.querySelector("strong").textContent = `Continue with chapter ${number}`;
  Object.assign(card.querySelector("a"), { href, textContent });
}

/** The first chapter that is not done, from the one on in which something was solved last. */
function nextChapter(found) {
  const last = [...progress.solved()].at(-1).split(".")[0];
  const chapters = [...found.keys()];
  const from = Math.max(0, chapters.indexOf(last));
  const order = [...chapters.slice(from), ...chapters.slice(0, from)];
  return order.find((chapter) => found.get(chapter).solved < found.get(chapter).of);
}

export function showProgress() {
  const found = counts();
  const begun = [...found.values()].some(({ solved }) => solved);
  const next = begun ? nextChapter(found) : undefined;
  markContents(found);
  markMap(found, begun, next);
  markCard(next);
}

addEventListener("storage", showProgress); // solved, or forgotten, in another tab
addEventListener("pageshow", (event) => event.persisted && showProgress()); // gone back to
