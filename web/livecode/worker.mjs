// One Python for one page, in a thread of its own: a loop without end cannot freeze the
// page, and the page can end it. Messages in:
//   start                          load Python, numpy and the course
//   run {id, name, code, reads, progress}
// Messages out:
//   loading {done, total, what}, ready, failed {message},
//   stream {id, stream, text}, done {id, shown, progress}

const here = (path) => new URL(path, import.meta.url).href;
const FOLDER = "/course/notebooks";
const PROGRESS = "/course/progress.jsonl";
const DRAWS = /\bplots\b|\bmatplotlib\b|\bplt\b/;

let runtime; // what tools/live.py assembled: folder, sizes, whether matplotlib is there
let python;
let runner;
const files = new Set();

const fail = (message, id) => self.postMessage({ type: "failed", id, message });

/**
 * Count what is downloaded, so that the page can show how far it is. A file that does not
 * come ends the start here: Pyodide would wait for it for ever.
 */
function watchDownloads(report) {
  const plain = self.fetch.bind(self);
  self.fetch = async (resource, options) => {
    const name = String(resource.url ?? resource).split("/").at(-1);
    const response = await plain(resource, options).catch(() => null);
    if (!response?.ok) {
      const why = response ? `the server answers ${response.status}` : "the server does not answer";
      fail(`${name}: ${why}`);
      throw new Error(`${name}: ${why}`);
    }
    if (!response.body) return response;
    const counter = new TransformStream({
      transform(chunk, controller) {
        report(chunk.byteLength);
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  };
  return () => (self.fetch = plain);
}

async function start() {
  new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); // throws where forbidden
  let done = 0;
  let shown = 0;
  let total = Infinity;
  const unwatch = watchDownloads((bytes) => {
    done = Math.min(done + bytes, total);
    if (done - shown > total / 50) {
      shown = done;
      self.postMessage({ type: "loading", done, total });
    }
  });
  runtime = await (await fetch(here("runtime.json"))).json();
  total = runtime.bytes;
  const base = here(runtime.folder);
  const compiled = fetch(base + runtime.compiled.course);
  compiled.catch(() => {}); // `watchDownloads` has said it
  const { loadPyodide } = await import(`${base}pyodide.mjs`);
  python = await loadPyodide({
    indexURL: base,
    packageBaseUrl: base,
    lockFileURL: here("pyodide-lock.json"),
    stdLibURL: base + runtime.compiled.python_stdlib,
    packages: runtime.packages,
    checkIntegrity: true,
  });
  await unpack(await compiled);
  self.postMessage({ type: "loading", done: total, total });
  const source = await (await fetch(here("runner.py"))).text();
  unwatch();
  python.FS.mkdirTree(FOLDER);
  python.FS.mkdirTree("/course/tools");
  python.FS.writeFile("/course/tools/live_runner.py", source);
  python.runPython("import sys; sys.path.append('/course/tools')");
  runner = python.pyimport("live_runner");
  runner.start(FOLDER, PROGRESS);
}

/** Put compiled modules beside their sources: the build has made them, tools/bytecode.py. */
async function unpack(response) {
  python.unpackArchive(await response.arrayBuffer(), "zip", { extractDir: "/" });
}

/** Load what a cell needs beyond numpy and the course: Matplotlib, when it draws. Say what lacks. */
async function prepare(code, id) {
  if (DRAWS.test(code) && runtime.matplotlib && !python.loadedPackages.matplotlib) {
    self.postMessage({ type: "loading", id, what: "Matplotlib" });
    await python.loadPackage("matplotlib", { messageCallback() {}, errorCallback() {} });
    if (python.loadedPackages.matplotlib) {
      const compiled = fetch(here(runtime.folder) + runtime.compiled.matplotlib);
      await compiled.then(unpack).catch(() => {}); // sources do too, in more time
    }
  }
  const drawable = !DRAWS.test(code) || !runtime.matplotlib || python.loadedPackages.matplotlib;
  return drawable ? null : "Matplotlib could not be downloaded. Is there a connection? Run again then.";
}

/** Write files of the course that a cell reads, such as ../benchmarks/results/a.json. */
async function fetchFiles(paths) {
  for (const path of paths.filter((one) => !files.has(one))) {
    const response = await fetch(here(`files/${path}`)).catch(() => null);
    if (!response?.ok) continue; // Python says then that there is no such file
    const target = `/course/${path}`;
    python.FS.mkdirTree(target.slice(0, target.lastIndexOf("/")));
    python.FS.writeFile(target, new Uint8Array(await response.arrayBuffer()));
    files.add(path);
  }
}

async function run({ id, name, code, progress, reads = [] }) {
  const error = await prepare(code, id).catch((reason) => String(reason.message));
  if (error) return self.postMessage({ type: "done", id, shown: { error }, progress });
  await fetchFiles(reads);
  runner.put_progress(progress);
  const emit = (stream, text) => self.postMessage({ type: "stream", id, stream, text });
  const result = runner.run(code, name, emit);
  const shown = result.toJs({ dict_converter: Object.fromEntries });
  result.destroy();
  return self.postMessage({ type: "done", id, shown, progress: runner.progress_text() });
}

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "start") {
      await start();
      self.postMessage({ type: "ready" });
    } else {
      await run(data);
    }
  } catch (error) {
    fail(String(error?.message ?? error).split("\n")[0], data.id);
  }
};
