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

  // The last comes first: a section is done before the one that holds it.
  const inTurn = (work) => new Promise((done) => {
    const sections = [...document.querySelectorAll(SECTIONS)];
    const some = (time) => {
      do {
        if (!sections.length) {
          done();
          return;
        }
        work(sections.pop());
      } while (time.timeRemaining() > ENOUGH);
      idle(some);
    };
    idle(some);
  });

  const height = (section) => {
    const { top } = section.getBoundingClientRect();
    const { bottom } = section.lastElementChild.getBoundingClientRect(); // lays it out
    return bottom - top;
  };

  // A section that was on the screen while the page still came keeps the height of then,
  // unless it is hidden for a frame; far from the screen nobody sees it.
  const forget = (section) => {
    section.style.contentVisibility = "hidden";
    requestAnimationFrame(() => requestAnimationFrame(() => {
      section.style.contentVisibility = "";
    }));
  };

  const note = (section) => {
    const real = height(section);
    section.style.containIntrinsicHeight = `${real}px`;
    if (Math.abs(section.getBoundingClientRect().height - real) > 1) forget(section);
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

  addEventListener("load", async () => {
    if (root.classList.contains("course-early")) {
      await inTurn(height); // now the browser knows which fonts the formulas need
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      await document.fonts.ready; // those asked for in the frame before
      await inTurn(note);
    }
    finish();
  });
})();
