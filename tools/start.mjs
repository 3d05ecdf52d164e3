import { expectTools, mustRun, root } from "./run.mjs";

// `npm start`: builds, then serves examples/files in this process, which so gets the signals. No `prestart` does it: npm leaves out what stands
// before and behind a script where ignore-scripts is set, as many do against scripts of packages.
expectTools();
mustRun("npm", ["run", "build"]);
const main = `${root}packages/cli/dist/main.js`;
// The command reads from argv how it was called, and starts its workers the same way.
process.argv.splice(1, 1, main, "serve", "examples/files", "--show-url");
// npm starts this in a shell, and sends SIGTERM to the shell only.
const { ppid } = process;
setInterval(() => process.ppid !== ppid && process.kill(process.pid, "SIGTERM"), 500).unref();
await import(new URL("../packages/cli/dist/main.js", import.meta.url).href);
