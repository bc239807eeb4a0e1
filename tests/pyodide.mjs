// Runs Python in the browser's Python, without a browser:
//   node pyodide.mjs RUNTIME PROGRAM FOLDER...
// RUNTIME is what tools/live.py made; PROGRAM is a Python file whose `result` (a str) is
// written to the output; each FOLDER can be imported from. Matplotlib is loaded when the
// program names it.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, program, ...folders] = process.argv.slice(2).map((path) => resolve(path));
const name = readdirSync(runtime).find((one) => one.startsWith("pyodide-3"));
const base = join(runtime, name);
const { loadPyodide } = await import(pathToFileURL(join(base, "pyodide.mjs")).href);
const python = await loadPyodide({
  indexURL: base,
  packageBaseUrl: `${base}/`,
  lockFileURL: join(runtime, "pyodide-lock.json"),
  packages: JSON.parse(readFileSync(join(runtime, "runtime.json"))).packages,
  stdout: (line) => process.stderr.write(`${line}\n`),
});
const code = readFileSync(program, "utf8");
if (code.includes("matplotlib")) await python.loadPackage("matplotlib");
for (const [number, folder] of folders.entries()) {
  const place = `/folders/${number}`;
  python.FS.mkdirTree(place);
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !/\.(py|ipynb|json)$/.test(file.name)) continue;
    const inside = join(file.parentPath ?? file.path, file.name).slice(folder.length + 1);
    const target = `${place}/${inside}`;
    python.FS.mkdirTree(target.slice(0, target.lastIndexOf("/")));
    python.FS.writeFile(target, readFileSync(join(folder, inside)));
  }
  python.runPython(`import sys; sys.path.append(${JSON.stringify(place)})`);
}
try {
  python.runPython(code, { filename: "program.py" });
} catch (error) {
  console.error(error.message); // without the megabyte of source that Node would add
  process.exit(1);
}
process.stdout.write(python.globals.get("result"));
