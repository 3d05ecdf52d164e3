import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RouteSignOptions, signedRoute } from "daypass/routes";
import { urlSigner } from "daypass/url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../tools/free-port.ts";

// The examples of signed routes in frameworks that are built before they run.

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const here = fileURLToPath(new URL("..", import.meta.url));
const examples = fileURLToPath(new URL("../../examples/routes/", import.meta.url));
/** The program of a package, whose exports may not list it. */
const program = (name: string, path: string): string =>
  join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), path);

interface Framework {
  /** The place of the example in an app. */
  readonly route: string;
  readonly files: Readonly<Record<string, string>>;
  readonly build: readonly string[];
  readonly start: (port: string) => readonly string[];
}

const frameworks: Readonly<Record<string, Framework>> = {
  "next.js": {
    route: "app/invoices/[id]/route.js",
    files: { "next.config.mjs": "export default {};" },
    build: [program("next", "dist/bin/next"), "build", "--webpack"],
    start: (port) => [program("next", "dist/bin/next"), "start", "-p", port, "-H", "127.0.0.1"],
  },
  "sveltekit.js": {
    route: "src/routes/invoices/[id]/+server.js",
    files: {
      "package.json": '{ "type": "module", "private": true }',
      "vite.config.js": 'import { sveltekit } from "@sveltejs/kit/vite";\nexport default { plugins: [sveltekit()] };',
      "svelte.config.js":
        'import adapter from "@sveltejs/adapter-node";\nexport default { kit: { adapter: adapter() } };',
      "src/app.html": "<html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>",
    },
    build: [program("vite", "bin/vite.js"), "build"],
    start: () => ["build"],
  },
};

describe.each(Object.entries(frameworks))("routes/%s", (file, { route, files, build, start }) => {
  // Below this folder, so that the framework is found.
  const app = mkdtempSync(join(here, ".app-"));
  let origin: string;
  let server: ChildProcess;

  beforeAll(async () => {
    const port = String(await freePort());
    origin = `http://127.0.0.1:${port}`;
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(app, name)), { recursive: true });
      writeFileSync(join(app, name), text);
    }
    mkdirSync(dirname(join(app, route)), { recursive: true });
    cpSync(join(examples, file), join(app, route));
    const own = { PORT: port, HOST: "127.0.0.1", ORIGIN: origin, DAYPASS_KEY: key.k, NEXT_TELEMETRY_DISABLED: "1" };
    const run = (args: readonly string[]): ChildProcess =>
      spawn(process.execPath, args, {
        cwd: app,
        env: { ...process.env, NODE_ENV: "production", ...own },
        stdio: "ignore",
      });
    const [code] = (await once(run(build), "exit")) as [number];
    expect(code).toBe(0);
    server = run(start(port));
    while (
      !(await fetch(origin).then(
        () => true,
        () => false,
      ))
    ) {
      expect(server.exitCode).toBe(null);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, 600_000);
  afterAll(async () => {
    const ended = once(server, "exit");
    server.kill();
    await ended;
    rmSync(app, { recursive: true });
  });

  const sign = (id: string, more: Partial<RouteSignOptions> = {}): string =>
    signedRoute({ path: "/invoices/:id", origin, signer: urlSigner({ key }) }).sign({ id }, { expiresIn: 60, ...more })
      .url;

  it.each(["7", "a b.pdf", "Zürich+50%;@'()*!", "%41"])(
    "hands the handler the parameter %j as it was signed",
    async (id) => {
      const answer = await fetch(sign(id, { query: { q: "a b", flag: "" } }));
      expect([answer.status, ((await answer.json()) as { id: string }).id]).toEqual([200, id]);
    },
  );

  it.each([
    ["with another parameter", (url: string) => url.replace("/7?", "/8?"), "SIGNATURE_MISMATCH"],
    ["with a further query parameter", (url: string) => `${url}&utm_source=mail`, "SIGNATURE_MISMATCH"],
    ["with a needlessly encoded letter", (url: string) => url.replace("/7?", "/%37?"), "MALFORMED"],
    ["without a signature", () => `${origin}/invoices/7`, "NO_SIGNATURE"],
  ])("refuses a URL %s", async (_, alter, code) => {
    expect(await (await fetch(alter(sign("7")))).json()).toMatchObject({ code });
  });
});
