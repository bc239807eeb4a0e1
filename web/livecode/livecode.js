// Makes the code cells of a page live. From a file there is no module and no worker, so
// the page stays as it is and says how to serve it.
(() => {
  const script = document.currentScript;
  const begin = () => {
    if (location.protocol === "file:") {
      const cell = document.querySelector("article div.cell");
      const note = document.createElement("p");
      note.className = "live-note";
      note.textContent =
        "The code runs in this page when the folder is served, for example with " +
        "“python -m http.server”; from a file, browsers do not allow it.";
      cell?.before(note);
      return;
    }
    const page = new URL("page.mjs", script.src).href;
    import(page).then((module) => module.begin(script.dataset));
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
