import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { launchChromium } from "../../examples/test/chromium.ts";
import { workerd } from "../../examples/test/workerd.ts";
import { needs } from "../../tools/needs.ts";
import { suite, type Target } from "../bundle.ts";
import type { Report } from "../harness.ts";
import { missing, programs, report, runProgram } from "../programs.ts";

// The library's own test files, from its sources, in each runtime with the crypto that its imports map gives it there; and of the
// gateway and the command line, which need Node, those that meet it most, on each newer one.

/** Tests that fail in one runtime only: part of the name, and the reason. Each must fail, or its line is removed. */
type Excuses = Readonly<Record<string, string>>;

function judge({ passed, failed }: Report, atLeast: number, excuses: Excuses = {}, sometimes: Excuses = {}): void {
  const parts = [...Object.keys(excuses), ...Object.keys(sometimes)];
  const unexcused = failed.filter(({ name }) => !parts.some((part) => name.includes(part)));
  const stale = Object.keys(excuses).filter((part) => !failed.some(({ name }) => name.includes(part)));
  expect({ unexcused, stale }).toEqual({ unexcused: [], stale: [] });
  expect(passed).toBeGreaterThan(atLeast);
}

/** Runs test files of the workspace on another Node, in Vitest. Gives how many passed; rejects where one fails. */
async function passOn(name: keyof typeof programs, parameters: readonly string[], workers = 1): Promise<number> {
  const output = await runProgram(
    programs[name],
    ["node_modules/vitest/vitest.mjs", "run", ...parameters, "--reporter=json", "--project=!tamper"],
    { workers },
  );
  const { numFailedTests, numPassedTests } = JSON.parse(output.slice(output.indexOf("{"))) as {
    readonly numFailedTests: number;
    readonly numPassedTests: number;
  };
  expect(numFailedTests).toBe(0);
  return numPassedTests;
}

const NEWER = ["Node 22", "Node 24", "Node 26"] as const;
const NODE: Target = { conditions: ["node"], node: true };

// Vitest took nearly as long here as the tests did, so that it runs only what nothing else can.
for (const name of NEWER) {
  const reason = missing(programs[name]);
  describe.skipIf(reason)(`the library on ${name}${reason ?? ""}`, { concurrent: true }, () => {
    it("passes its tests", async () => {
      const { code } = await suite(NODE);
      judge(await report(programs[name], code), 6300);
    });
    it("passes those that need Vitest, or another program", async () => {
      const { left } = await suite(NODE);
      const files = Object.keys(left).map((file) => `packages/daypass/test/${file}`);
      expect(await passOn(name, files)).toBeGreaterThan(1000);
    });
  });
}

const NO_RSA_PSS = "cannot export the RSA-PSS key that the test brings along";
const DETERMINISTIC = "signs with ECDSA the same way each time, as RFC 6979 has it";
const SAME_ECDSA = { "s3V4aSigner > signs another signature and the same id each time": DETERMINISTIC } as const;
const EXCUSES: Readonly<Record<"Bun" | "Deno", Excuses>> = {
  Bun: {
    "answers 999 headers over a socket": "its server takes fewer headers than Node's",
    "does not reset the connection while the client or a proxy still sends":
      "resets a connection that is to close, whoever waits",
    "portable/ecdsa.test.ts": "has no curve secp256k1, of which the test brings a key along",
    "portable/rsa.test.ts": NO_RSA_PSS,
  },
  Deno: {
    "portable/rsa.test.ts": NO_RSA_PSS,
    ...SAME_ECDSA,
    "signs with P-256 keys and either hash, differently each time": DETERMINISTIC,
  },
};
/** Tests with random data that fail for some data only. */
const SOMETIMES: Readonly<Record<"Bun" | "Deno", Excuses>> = {
  Bun: {
    "agrees with another engine on random expressions":
      "has another engine than V8, which is what ours is held against",
  },
  Deno: {},
};
const PORTABLE_EXCUSES: Readonly<Record<"Bun" | "Deno", Excuses>> = {
  Bun: {},
  Deno: SAME_ECDSA,
};

for (const name of ["Bun", "Deno"] as const) {
  const reason = missing(programs[name]);
  describe.skipIf(reason)(`the library on ${name}${reason ?? ""}`, { concurrent: true }, () => {
    it("passes its tests with node:crypto", async () => {
      const { code } = await suite(NODE);
      judge(await report(programs[name], code), 1000, EXCUSES[name], SOMETIMES[name]);
    });
    it("passes its tests with the portable crypto", async () => {
      const { code } = await suite({ conditions: ["browser"], node: false });
      judge(await report(programs[name], code), 600, PORTABLE_EXCUSES[name], SOMETIMES[name]);
    });
  });
}

const NO_PROCESS = "watches the events of a process";

// These have only a wall clock. Two at a time have a processor each, and their tests also passed beside forty processes.
describe("the library in workerd", { concurrent: true }, () => {
  it("passes its tests", async () => {
    const { code } = await suite({ conditions: ["workerd"], node: false });
    const handler = "export default { fetch: async () => Response.json(await report()) };";
    const worker = await workerd(`${code}\n${handler}`, {});
    try {
      judge(JSON.parse((await worker.get("https://suite.example/")).body), 600, {
        "handles late rejections when the iteration ends early": NO_PROCESS,
      });
    } finally {
      await worker.stop();
    }
  });
});

const NO_HOST = "a page cannot set the Host of a request";
const NO_STREAM = "a page makes no request of a stream without HTTP/2";

const reason = needs("chromium");
describe.skipIf(reason)(`the library in Chromium${reason ?? ""}`, { concurrent: true }, () => {
  it("passes its tests", async () => {
    const { code } = await suite({ conditions: ["browser"], node: false });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      // An origin without a server: WebCrypto exists in secure contexts only.
      await page.route("https://page.example/", (route) => route.fulfill({ contentType: "text/html", body: "" }));
      await page.goto("https://page.example/");
      const ran = await page.evaluate(`(async () => {
        const url = URL.createObjectURL(new Blob([${JSON.stringify(code)}], { type: "text/javascript" }));
        return (await import(url)).report();
      })()`);
      judge(ran as Report, 600, {
        "handles late rejections when the iteration ends early": NO_PROCESS,
        "the adapter of Next > verifies the base path": NO_HOST,
        "the adapter of Next > refuses a request with another parameter": NO_HOST,
        "the adapter of Hono > gives the handler a body that fails": NO_STREAM,
        "fails another body before the handler has all of it": NO_STREAM,
        "holds a body to its length where a host's class": NO_STREAM,
        "leaves a request whose body is limited its class": NO_STREAM,
        "stops reading an endless body that was refused": NO_STREAM,
        "refuses an announced length without reading": NO_STREAM,
      });
    } finally {
      await browser.close();
    }
  });
});

// These use most of Node itself: HTTP, SQLite, files and processes. They run last because they have time limits, and one Node after
// the other, each on all processors. The files on connection ends and joined responses are included because Node's streams differ there: a
// slot was lost on Node 22 and later only, and Node 26 ends a response without an empty part.
const WHOLE_RUNS = [
  "gateway/test/e2e",
  "gateway/test/node/connection-end",
  "gateway/test/node/joined-response",
  "cli/test/serve.test",
];

for (const name of NEWER) {
  const reason = missing(programs[name]);
  describe.skipIf(reason)(`the gateway and the command line on ${name}${reason ?? ""}`, () => {
    it("pass their tests of whole requests and runs", async () => {
      const files = WHOLE_RUNS.map((file) => `packages/${file}`);
      // On the first Node each file had its own process; here as many share one, for the sake of time. A third of the time all
      // that run wait for something.
      const passed = await passOn(name, [...files, "--no-isolate", "--testTimeout=60000"], availableParallelism() + 1);
      expect(passed).toBeGreaterThan(1000);
    });
  });
}
