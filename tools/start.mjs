import { once } from "node:events";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { expectTools, mustRun, root } from "./run.mjs";

// `npm start`: builds, then serves examples/files in this process, which so gets the signals. No `prestart` does it: npm leaves out what stands
// before and behind a script where ignore-scripts is set, as many do against scripts of packages.
expectTools();
await expectFreePort();
mustRun("npm", ["run", "build"]);
const main = `${root}packages/cli/dist/main.js`;
// The command reads from argv how it was called, and starts its workers the same way.
process.argv.splice(1, 1, main, "serve", "examples/files", "--show-url");
// npm starts this in a shell, and sends SIGTERM to the shell only.
const { ppid } = process;
setInterval(() => process.ppid !== ppid && process.kill(process.pid, "SIGTERM"), 500).unref();
await import(new URL("../packages/cli/dist/main.js", import.meta.url).href);

/** The build takes a minute, so a port that another program uses is reported before. Any other fault is reported by the command. */
async function expectFreePort() {
  const options = /** @type {const} */ ({
    port: { type: "string" },
    host: { type: "string" },
    config: { type: "string" },
  });
  const {
    port = "8080",
    host = "127.0.0.1",
    config,
  } = parseArgs({ options, strict: false, allowPositionals: true }).values;
  if (config !== undefined || !/^\d{1,5}$/.test(String(port)) || Number(port) > 65_535) return;
  const probe = createServer();
  const listening = once(probe, "listening").catch((/** @type {NodeJS.ErrnoException} */ error) => error);
  probe.listen({ port: Number(port), host: String(host) });
  const error = await listening;
  probe.close();
  if (!(error instanceof Error) || error.code !== "EADDRINUSE") return;
  console.error(`another program uses port ${port}. Choose another: npm start -- --port 8081`);
  process.exit(1);
}
