// Runs Python in the pages' Python, without a browser:
//   node pyodide.mjs RUNTIME PROGRAM FOLDER...
// RUNTIME is what tools/live.py made, or is making; PROGRAM is a Python file whose
// `result` (a str) is written to the output; each FOLDER can be imported from. Matplotlib
// is loaded when the program names it and the runtime has it.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => {
  console.error(error.message); // without the megabyte of source that Node would add
  process.exit(1);
});
const [runtime, program, ...folders] = process.argv.slice(2).map((path) => resolve(path));
const name = readdirSync(runtime).find((one) => one.startsWith("pyodide-3"));
const base = join(runtime, name);
const about = JSON.parse(readFileSync(join(runtime, "runtime.json")));
const { loadPyodide } = await import(pathToFileURL(join(base, "pyodide.mjs")).href);
const python = await loadPyodide({
  indexURL: base,
  packageBaseUrl: `${base}/`,
  lockFileURL: join(runtime, "pyodide-lock.json"),
  packages: about.packages,
  stdLibURL: join(base, about.compiled?.python_stdlib ?? "python_stdlib.zip"),
  stdout: (line) => process.stderr.write(`${line}\n`),
});
const code = readFileSync(program, "utf8");
const unpack = (archive) => {
  if (!archive) return;
  const bytes = new Uint8Array(readFileSync(join(base, archive)));
  python.unpackArchive(bytes, "zip", { extractDir: "/" });
};
unpack(about.compiled?.course);
if (about.matplotlib && code.includes("matplotlib")) {
  await python.loadPackage("matplotlib");
  unpack(about.compiled?.matplotlib);
}
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
python.runPython(code, { filename: "program.py" });
process.stdout.write(python.globals.get("result"));
