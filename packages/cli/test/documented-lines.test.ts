import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configSchema } from "../src/commands/serve/config.ts";
import { schemaFault } from "../src/commands/serve/json-schema.ts";
import { AWS, daypassProcess, parseLines, temporaryFolder } from "./command.ts";

// The lines and files that the pages show, given to the command as a reader would, with keys in the place of what stands for them.

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

test("each line that the page of the command line shows is signed", async () => {
  // A key of Azure's is base64 with its padding.
  const input = withKeys(toSign).replace(/("accountKey":"\w+)"/, '$1="');
  const { status, stdout } = await daypassProcess(["sign", "--batch", "-", "--strict"], { input: `${input}\n` });
  const answers = parseLines<{ readonly error?: unknown }>(stdout);
  expect([status, answers.filter(({ error }) => error !== undefined)]).toEqual([0, []]);
  expect(answers).toHaveLength(toSign.split("\n").length);
  expect(answers.length).toBeGreaterThan(9);
});

test("the line to verify is one, and its URL is cut", async () => {
  const { stdout } = await daypassProcess(["verify", "--batch", "-"], { input: `${withKeys(toVerify)}\n` });
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: "MALFORMED" });
});

test("the CSV that the page of bulk signing shows is signed", async () => {
  const [csv = ""] = blocksOf("docs/guide/bulk.md", "").filter((code) => code.startsWith("bucket,key,"));
  const folder = temporaryFolder();
  writeFileSync(join(folder, "files.csv"), `${csv}\n`);
  const env = { ...AWS, AWS_REGION: "us-east-1" };
  const args = ["sign", "s3://media", "--batch", "files.csv", "--strict"];
  const { status, stdout } = await daypassProcess(args, { env, cwd: folder });
  expect([status, parseLines(stdout)]).toMatchObject([
    0,
    [{ method: "GET" }, { headers: { "content-type": "image/png" } }],
  ]);
});

test.each(guides.flatMap((page) => blocksOf(page, "json").map((code, i) => ({ name: `${page}, ${i + 1}`, code }))))(
  "what is shown as JSON is JSON, or lines of it: $name",
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

test.each(blocksOf("docs/guide/configuration.md", "json"))("the configuration shown is one: %s", (code) => {
  expect(schemaFault(configSchema, JSON.parse(code))).toBeUndefined();
});
