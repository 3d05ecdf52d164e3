// Counts the source files that run code for one warm presigned GET of 1 KB and for one PUT of 1 KB, by V8's precise coverage.
// Prints the counts by package. `--list` prints the files.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";

const SOURCE_CONDITION = "--conditions=@daypass/source";
const WARM_UP = 50;
const packages = new URL("../packages/", import.meta.url).href;

/**
 * A loader hook for TypeScript: Node 20 does not strip types.
 * @type {import("node:module").LoadHook}
 */
export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const { transform } = await import("esbuild");
  const sourcefile = fileURLToPath(url);
  const { code } = await transform(readFileSync(sourcefile, "utf8"), { loader: "ts", format: "esm", sourcefile });
  return { format: "module", source: code, shortCircuit: true };
}

async function measure() {
  register(import.meta.url);
  const { testGateway } = await import("@daypass/gateway/testing");
  const { s3Signer } = await import("daypass/s3");
  const body = new Uint8Array(1024).fill(97);
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "files-touched" };
  // One dialect and no sessions, as a gateway over a folder is usually started.
  const gateway = await testGateway({
    files: { "media/read.bin": body },
    gateway: () => ({
      keys: { s3: (/** @type {string} */ id) => (id === credentials.accessKeyId ? credentials : undefined) },
      sessionSecret: undefined,
    }),
  });
  try {
    const signer = s3Signer({ ...gateway.clients.daypass, credentials, clock: gateway.clock });
    /** @param {string} method @param {string} key */
    const sign = (method, key) => signer.sign({ bucket: "media", key, method, expiresIn: 60 }).url;
    const gets = Array.from({ length: WARM_UP + 1 }, () => sign("GET", "read.bin"));
    const puts = Array.from({ length: WARM_UP + 1 }, (_, i) => sign("PUT", `write-${i}.bin`));
    report("GET", await filesTouched(gets, { method: "GET" }));
    report("PUT", await filesTouched(puts, { method: "PUT", body }));
  } finally {
    await gateway.close();
  }
}

/**
 * Sends all requests and returns the files that ran code for the last one.
 * @param {readonly string[]} urls
 * @param {RequestInit} options
 */
async function filesTouched(urls, options) {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  for (const url of urls.slice(0, -1)) await send(url, options);
  // Taking the coverage resets its counters.
  await session.post("Profiler.takePreciseCoverage");
  await send(urls.at(-1) ?? "", options);
  const { result } = await session.post("Profiler.takePreciseCoverage");
  session.disconnect();
  return result
    .filter(({ url }) => url.startsWith(packages) && url.includes("/src/") && !url.includes("/src/testing/"))
    .filter(({ functions }) => functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)))
    .map(({ url }) => url.slice(packages.length))
    .sort();
}

/** @param {string} url @param {RequestInit} options */
async function send(url, options) {
  const response = await fetch(url, options);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${options.method} failed with status ${response.status}`);
  // Work after the response, such as the event of the access log, belongs to the request.
  await new Promise((resolve) => setTimeout(resolve, 5));
}

/** @param {string} method @param {readonly string[]} files */
function report(method, files) {
  const names = [...new Set(files.map((file) => file.split("/", 1)[0] ?? ""))];
  const counts = names.map((name) => `${name} ${files.filter((file) => file.startsWith(`${name}/`)).length}`);
  console.log(`${method}: ${files.length} files (${counts.join(", ")})`);
  if (process.argv.includes("--list")) for (const file of files) console.log(`  ${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.execArgv.includes(SOURCE_CONDITION)) await measure();
  else {
    const args = ["--no-warnings", SOURCE_CONDITION, ...process.argv.slice(1)];
    process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
  }
}
