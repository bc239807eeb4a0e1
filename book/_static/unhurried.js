// A long chapter is laid out a little at a time, so that a slow phone can scroll and tap
// meanwhile. In a page with the class "course-early" the browser skips what is far from
// the screen (course.css). Here, whenever it has nothing else to do, it lays out a cell,
// a box or a paragraph; then each section's height is noted, so that the scroll bar and
// the links find the right place.
(() => {
  const { late } = document.currentScript.dataset;
  const root = document.documentElement;
  const SECTIONS = ".bd-article > section > section, .bd-article > section > section > section";
  const KINDS = ".admonition, .cell, .math, .pst-scrollable-table-container, [class*='highlight-'], ol, p, ul";
  const PIECES = `.bd-article > section section > :is(${KINDS})`;
  const ENOUGH = 25; // milliseconds that a browser should have left for another piece

  // Bootstrap would ask where every heading stands, at once, when the page is loaded.
  document.body.removeAttribute("data-bs-spy");

  // Safari has no idle time to give.
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 20, { timeRemaining: () => 0 }));

  const skipped = (section) =>
    !section.firstElementChild.checkVisibility({ contentVisibilityAuto: true });

  // A section that was on the screen while the page still came keeps the height of then,
  // unless it is hidden for a frame; far from the screen nobody sees it.
  const forget = (section) => {
    section.style.contentVisibility = "hidden";
    requestAnimationFrame(() => requestAnimationFrame(() => {
      section.style.contentVisibility = "";
    }));
  };

  const layOut = (piece) => {
    piece.style.contentVisibility = "visible"; // as far as its section is
    piece.getBoundingClientRect();
  };

  const note = (section) => {
    const { top } = section.getBoundingClientRect();
    const { bottom } = section.lastElementChild.getBoundingClientRect();
    section.style.containIntrinsicHeight = `${bottom - top}px`;
    if (skipped(section)) {
      const now = section.getBoundingClientRect().height;
      if (Math.abs(now - (bottom - top)) > 1) forget(section);
    }
    section.dispatchEvent(new Event("course-laid-out", { bubbles: true }));
  };

  // What measures the whole page comes when there is nothing left to lay out: the theme's
  // script, which listens to Bootstrap's, and then Bootstrap's mark of what is being read.
  const finish = () => {
    const script = document.createElement("script");
    script.src = late;
    script.addEventListener("load", () => {
      window.bootstrap?.ScrollSpy.getOrCreateInstance(document.body);
      root.dataset.ready = ""; // tests wait for it
    });
    document.body.append(script);
  };

  const later = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

  // Does `step` after step while the browser has time, until one says that none is left.
  const worker = (step, done) => {
    const state = { working: false };
    const some = (time) => {
      let more;
      do more = step();
      while (more && time.timeRemaining() > ENOUGH);
      if (more) {
        document.fonts.ready.then(() => idle(some)); // a font that comes later would undo it
        return;
      }
      state.working = false;
      done();
    };
    state.wake = () => {
      if (!state.working) idle(some);
      state.working = true;
    };
    return state;
  };

  const begin = (article) => {
    const pieces = [...document.querySelectorAll(PIECES)];
    const sections = [...document.querySelectorAll(SECTIONS)];
    const waiting = new Set(sections);
    let finished = false;

    const step = () => {
      if (pieces.length > 0) {
        layOut(pieces.shift());
        return true;
      }
      // The last comes first: a section is noted before the one that holds it.
      const section = sections.findLast((one) => waiting.has(one));
      if (section) note(section);
      return waiting.delete(section);
    };
    // After a frame the browser has asked for the fonts of what was laid out.
    const settle = async () => {
      await later();
      await document.fonts.ready;
      await later();
      if (work.working || finished) return;
      finished = true;
      finish();
    };
    const work = worker(step, settle);
    const again = (some) => {
      for (const section of some) waiting.add(section);
      work.wake();
    };

    work.wake();
    // A font that comes changes lines of formulas everywhere.
    document.fonts.addEventListener("loadingdone", () => again(sections));
    // Scripts add buttons and outputs.
    new MutationObserver((changes) => {
      again(sections.filter((one) => changes.some(({ target }) => one.contains(target))));
    }).observe(article, { childList: true, subtree: true });
  };

  addEventListener("load", () => {
    root.dataset.begun = ""; // also where no frame was drawn, in a tab behind another
    const article = document.querySelector(".bd-article"); // the search has none
    if (article && root.classList.contains("course-early")) idle(() => begin(article));
    else finish();
  });
})();
