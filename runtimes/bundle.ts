import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const library = resolve(here, "../packages/daypass");
const tests = join(library, "test");

/** What a runtime offers to tests. */
export interface Target {
  /** Conditions that choose the build of `#crypto`, as the runtime's own resolution would. */
  readonly conditions: readonly string[];
  /** Whether the runtime has Node's modules. If not, `node:fs` reads from the bundle. */
  readonly node: boolean;
}

export interface Suite {
  readonly code: string;
  readonly files: readonly string[];
  /** Files that stay out, with the reason. */
  readonly left: Readonly<Record<string, string>>;
}

// What a test needs that only Vitest, or only Node, has.
const BEYOND: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/\bvi\b[^\n]*from "vitest"/, "replaces a module, which only Vitest can"],
  [/\bexpectTypeOf\b/, "holds types only"],
  [/from "node:child_process"/, "starts another program"],
  [/from "esbuild"/, "bundles the library itself"],
];
const BEYOND_WITHOUT_NODE: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/from "node:(?!fs"|url"|path")[a-z/_]+"/, "needs a module of Node"],
  [/crypto\/(?:[a-z]+-)?node\.ts"/, "tests Node's build"],
  [/\b(?:readdirSync|globSync)\b/, "reads the sources"],
];

const suites = new Map<string, Promise<Suite>>();

/** Bundles every test file of the library that a runtime can hold into one module that exports `report`: once for each target. */
export function suite(target: Target): Promise<Suite> {
  const name = JSON.stringify(target);
  const made = suites.get(name) ?? bundled(target);
  suites.set(name, made);
  return made;
}

async function bundled(target: Target): Promise<Suite> {
  const files: string[] = [];
  const left: Record<string, string> = {};
  for (const file of testFiles()) {
    const reason = reasonAgainst(file, target);
    if (reason === undefined) files.push(file);
    else left[file] = reason;
  }
  const entry = `
    import { run } from "${join(here, "harness.ts")}";
    export const report = () => run({
      ${files.map((file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(join(tests, file))})`).join(",\n")}
    });`;
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: here, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: target.node ? "node" : "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    conditions: ["@daypass/source", ...target.conditions],
    write: false,
    logLevel: "error",
    // Hammering with all mutants is for one runtime; the others get a share of them.
    define: {
      "process.env": JSON.stringify({ DAYPASS_TAMPER_COUNT: "20000" }),
      "process.stdout.write": "String",
      ...(target.node ? {} : { "process.cpuUsage": "cpuUsage" }),
    },
    inject: target.node ? [] : [join(here, "node-globals.ts")],
    plugins: [ownModules(target)],
    // CommonJS packages that ask for a module of Node by `require`.
    banner: target.node
      ? { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' }
      : {},
  });
  return { code: outputFiles[0]?.text ?? "", files, left };
}

function testFiles(): readonly string[] {
  return readdirSync(tests, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !/\.(?:peers|long)\./.test(file))
    .sort();
}

/** The reason of the file or of what it imports from the tests; the sources under test are no reason. */
function reasonAgainst(file: string, target: Target, seen = new Set<string>()): string | undefined {
  seen.add(file);
  const code = readFileSync(join(tests, file), "utf8");
  const rules = target.node ? BEYOND : [...BEYOND, ...BEYOND_WITHOUT_NODE];
  const own = rules.find(([pattern]) => pattern.test(code))?.[1];
  if (own !== undefined) return own;
  for (const [, path = ""] of code.matchAll(/from "(\.[^"]+\.ts)"/g)) {
    const imported = join(dirname(file), path);
    if (imported.startsWith("..") || seen.has(imported) || !existsSync(join(tests, imported))) continue;
    const reason = reasonAgainst(imported, target, seen);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Vitest is the harness; a file keeps its own `import.meta.url`; `node:fs` reads from the bundle in a runtime without a disk. */
function ownModules({ node }: Target): Plugin {
  return {
    name: "own-modules",
    setup(build) {
      build.onResolve({ filter: /^vitest$/ }, () => ({ path: join(here, "harness.ts") }));
      // Resolved to the sources, so that the tests need no build.
      build.onResolve({ filter: /^(?:fast-check|@vitest\/|chai$)/ }, ({ path, pluginData }) =>
        pluginData === "here"
          ? undefined
          : build.resolve(path, { resolveDir: here, kind: "import-statement", pluginData: "here" }),
      );
      build.onLoad({ filter: /packages\/daypass\/test\/.*\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
        loader: "ts",
      }));
      if (node) return;
      build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "carried" }));
      build.onLoad({ filter: /.*/, namespace: "carried" }, ({ path }) => ({
        contents: CARRIED[path] ?? `throw new Error(${JSON.stringify(`${path} is not carried`)})`,
        resolveDir: here,
      }));
    },
  };
}

/** Everything that tests read from disk, by its URL. */
function carriedFiles(): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const [folder, pattern] of [
    [tests, /\.(?:json|txt|pem|xml)$/],
    [resolve(here, "../docs"), /\.(?:md|json)$/],
  ] as const) {
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (pattern.test(file)) {
        files[pathToFileURL(join(folder, file)).href] = readFileSync(join(folder, file), "utf8");
      }
    }
  }
  return files;
}

const CARRIED: Readonly<Record<string, string>> = {
  "node:fs": `
    const files = ${JSON.stringify(carriedFiles())};
    export function readFileSync(at) {
      const url = new URL(at, "file:///").href;
      if (!(url in files)) throw new Error("the bundle does not carry " + url);
      return files[url];
    }
    export function writeFileSync() {
      throw new Error("the bundle writes no file");
    }`,
  "node:url": "export const fileURLToPath = (url) => new URL(url).pathname;",
  "node:path": "export const join = (...parts) => parts.join('/');",
};
