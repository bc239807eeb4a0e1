// A long chapter is laid out a section at a time, so that a slow phone can scroll and tap
// meanwhile. In a page with the class "course-early" the browser skips sections that are
// far from the screen (course.css); here, whenever it has nothing else to do, it lays one
// out and notes its height, so that the scroll bar and the links find the right place.
(() => {
  const { late } = document.currentScript.dataset;
  const root = document.documentElement;
  const SECTIONS = ".bd-article > section > section, .bd-article > section > section > section";
  const ENOUGH = 25; // milliseconds that a browser should have left for another section

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

  const note = (section) => {
    const { top } = section.getBoundingClientRect();
    const { bottom } = section.lastElementChild.getBoundingClientRect(); // lays it out
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

  const begin = (article) => {
    const sections = [...document.querySelectorAll(SECTIONS)];
    const waiting = new Set();
    let working = false;
    let finished = false;

    // After a frame the browser has asked for the fonts of what was laid out.
    const settle = async () => {
      await later();
      await document.fonts.ready;
      await later();
      if (working || finished) return;
      finished = true;
      finish();
    };
    const some = (time) => {
      do {
        // The last comes first: a section is done before the one that holds it.
        const section = sections.findLast((one) => waiting.has(one));
        if (!section) {
          working = false;
          settle();
          return;
        }
        waiting.delete(section);
        note(section);
      } while (time.timeRemaining() > ENOUGH);
      idle(some);
    };
    const add = (more) => {
      for (const section of more) waiting.add(section);
      if (!working) idle(some);
      working = true;
    };

    add(sections);
    // A font that comes changes lines of formulas everywhere.
    document.fonts.addEventListener("loadingdone", () => add(sections));
    // Scripts add buttons and outputs; what is on the screen the browser measures itself.
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        let one = target.closest(SECTIONS);
        for (; one && skipped(one); one = one.parentElement.closest(SECTIONS)) add([one]);
      }
    }).observe(article, { childList: true, subtree: true });
  };

  addEventListener("load", () => {
    const article = document.querySelector(".bd-article"); // the search has none
    if (article && root.classList.contains("course-early")) begin(article);
    else finish();
  });
})();
