// Formulas to HTML, while the book builds: no reader's browser runs MathJax.
// stdin: [{tex, display}], stdout: {html: [...], css}; argv: folder of MathJax's es5.
const path = require("path");
const es5 = path.resolve(process.argv[2]);

const settings = {
  loader: {
    paths: { mathjax: es5 },
    load: ["input/tex-full", "output/chtml", "adaptors/liteDOM", "a11y/assistive-mml"],
    require,
    versionWarnings: false,
  },
  // A command that does not exist is an error, not red text.
  tex: { packages: { "[-]": ["noerrors", "noundefined", "autoload", "require"] } },
  chtml: { fontURL: "fonts", adaptiveCSS: true },
  startup: { typeset: false },
};

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const formulas = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const MathJax = await require(path.join(es5, "node-main.js")).init(settings);
  const adaptor = MathJax.startup.adaptor;
  const html = [];
  for (const { tex, display } of formulas) {
    const node = await MathJax.tex2chtmlPromise(tex, { display, em: 17, ex: 8 });
    html.push(adaptor.outerHTML(node));
  }
  const css = adaptor.textContent(MathJax.chtmlStylesheet());
  process.stdout.write(JSON.stringify({ html, css }));
}

main().catch((error) => {
  process.stderr.write(String(error.stack || error));
  process.exit(1);
});
