import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { configFaults } from "../src/commands/serve/config-fault.ts";
import { AWS, daypass, parseLines, temporaryFolder } from "./command.ts";

const root = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** The blocks of one language on a page. */
const blocksOf = (page: string, language: string): readonly string[] =>
  [...read(page).matchAll(/^```(.*)\n([\s\S]*?)\n```$/gm)]
    .filter(([, named]) => named === language)
    .map(([, , code = ""]) => code);

const guides = readdirSync(new URL("docs/guide/", root)).map((name) => `docs/guide/${name}`);

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const withKeys = (lines: string): string =>
  lines
    .replaceAll('"PEM"', JSON.stringify(privateKey))
    .replace(/"base64(?:url)?"/g, JSON.stringify(Buffer.alloc(32).toString("base64url")))
    .replaceAll('"client_email":"…"', '"client_email":"a@b.iam.gserviceaccount.com"')
    .replaceAll('"K…"', '"K1"')
    .replaceAll('"…"', '"secret"');

const [toSign = "", toVerify = ""] = blocksOf("docs/guide/cli.md", "json");

test("signs each line of the page on the command line", async () => {
  // An Azure key is base64 with padding.
  const input = withKeys(toSign).replace(/("accountKey":"\w+)"/, '$1="');
  const { status, stdout } = await daypass(["sign", "--batch", "-", "--strict"], { input: `${input}\n` });
  const answers = parseLines<{ readonly error?: unknown }>(stdout);
  expect([status, answers.filter(({ error }) => error !== undefined)]).toEqual([0, []]);
  expect(answers).toHaveLength(toSign.split("\n").length);
  expect(answers.length).toBeGreaterThan(9);
});

test("reads the documented line to verify, whose URL is truncated", async () => {
  const { stdout } = await daypass(["verify", "--batch", "-"], { input: `${withKeys(toVerify)}\n` });
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: "MALFORMED" });
});

test("signs the CSV of the page on bulk signing", async () => {
  const [csv = ""] = blocksOf("docs/guide/bulk.md", "").filter((code) => code.startsWith("bucket,key,"));
  const file = join(temporaryFolder(), "files.csv");
  writeFileSync(file, `${csv}\n`);
  const env = { ...AWS, AWS_REGION: "us-east-1" };
  const args = ["sign", "s3://media", "--batch", file, "--strict"];
  const { status, stdout } = await daypass(args, { env });
  expect([status, parseLines(stdout)]).toMatchObject([
    0,
    [{ method: "GET" }, { headers: { "content-type": "image/png" } }],
  ]);
});

test.each(guides.flatMap((page) => blocksOf(page, "json").map((code, i) => ({ name: `${page}, ${i + 1}`, code }))))(
  "documents valid JSON or JSON Lines: $name",
  ({ code }) => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    expect(isJson(code) || code.split("\n").every(isJson)).toBe(true);
  },
);

test.each(blocksOf("docs/guide/configuration.md", "json"))("documents a valid configuration: %s", (code) => {
  expect(configFaults(JSON.parse(code))[0]).toBeUndefined();
});

const errorsPage = read("docs/errors.md");
const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));

/** A code is the last argument of a `CommandError`, and the first argument of a `DaypassError`. */
const CODES = [
  /new CommandError\((?:(?!\);)[\s\S])*?"([A-Z]+(?:_[A-Z]+)*)",?\s*\);/g,
  /new DaypassError\(\s*"([A-Z_]+)"/g,
];

const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join(SOURCES, path), "utf8"))
  .join("\n");

test("documents every error code of a command", () => {
  const codes = new Set(CODES.flatMap((pattern) => [...sources.matchAll(pattern)].map(([, code]) => code)));
  expect([...codes]).toEqual(
    expect.arrayContaining(["UNREACHABLE", "LISTING_REFUSED", "MALFORMED_ANSWER", "INVALID_INPUT"]),
  );
  const documented = [...errorsPage.matchAll(/^(?:### |\| )`([A-Z_]+)`/gm)].map(([, code]) => code);
  expect([...codes].filter((code) => !documented.includes(code))).toEqual([]);
});

const [, section = ""] = errorsPage.split(/^## On the command line$/m);
const rows = Array.from(section.matchAll(/^\| `([A-Z_\d]+)` \| (.*) \|$/gm), ([, code = "", cells = ""]) => ({
  code,
  cells,
}));

test.each(rows)("documents $code with its exit status, meaning and remedy", ({ code, cells }) => {
  expect(sources).toContain(`"${code}"`);
  const [status, meaning = "", remedy = ""] = cells.split(" | ");
  expect(status).toMatch(/^[012]$/);
  expect(meaning).toMatch(/^(?:[A-Z]|`).*\.$/);
  expect(remedy).toMatch(/^[A-Z].*\.$/);
});

test("documents the codes of the command line in one table", () => {
  expect(rows.length).toBeGreaterThan(6);
});
