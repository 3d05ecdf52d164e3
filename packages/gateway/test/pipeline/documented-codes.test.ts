import { readdirSync, readFileSync } from "node:fs";
import { errorCodes } from "daypass";
import { describe, expect, it } from "vitest";
import { describeRefusalCode, ownCodes, Refusal } from "../../src/pipeline/refusal.ts";
import { s3Error } from "../../src/protocols/s3/errors.ts";
import { refuseUrl } from "../../src/protocols/url/refuse.ts";

const page = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");
const [, section = ""] = page.split(/^## (?:From the gateway|On the command line)$/m);
const rows = new Map(
  Array.from(section.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm), ([, code = "", cells = ""]) => [
    code,
    cells.split(" | "),
  ]),
);

/** Places that name a code without raising it: comments, types, comparisons, sets, and the presentation of refusals. */
const MENTIONS = [
  /\/\*[\s\S]*?\*\//g,
  /^\s*\/\/.*$/gm,
  /\|\s*"[A-Z_]+"/g,
  /(?:[!=]==|\bcase)\s*"[A-Z_]+"/g,
  /new Set\(\[[^\]]*\]\)/g,
  /\b(?:s3Error|problemDetails)\(\s*"[A-Z_]+"/g,
];

/** Sources of the library and the gateway without these places. Code that only explains or tests codes raises none. */
const raising = ["daypass", "gateway"]
  .flatMap((name) => {
    const folder = new URL(`../../../${name}/src/`, import.meta.url);
    const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return paths
      .filter((path) => /(?<!\.d)\.ts$/.test(path) && !/^(?:explain|testing)\b/.test(path))
      .map((path) => readFileSync(new URL(path, folder), "utf8"));
  })
  .map((text) => MENTIONS.reduce((rest, mention) => rest.replace(mention, ""), text))
  .join("\n");

const request = { method: "GET", target: "/", authority: "files.example.com", headers: [] };

describe("the codes of the gateway in docs/errors.md", () => {
  it("are exactly the codes of the gateway", () => {
    expect([...rows.keys()].sort()).toEqual([...ownCodes].sort());
  });

  it.each(ownCodes)("documents %s with statuses, sentence, meaning and advice", (code) => {
    const [status, s3, meaning = "", remedy = ""] = rows.get(code) ?? [];
    const refusal = new Refusal(code, "");
    const answer = refuseUrl(refusal, { request, requestId: "0" } as never);
    expect(Number(status)).toBe(answer.status);
    const error = s3Error(code, {});
    const prefix = error.status === answer.status ? "" : `${error.status} `;
    if (code !== "NOT_CONFIGURED") expect(s3).toBe(`${prefix}\`${error.code}\``);
    const sentence = describeRefusalCode(code);
    expect(meaning).toMatch(/^[A-Z].*\. [A-Z`].*\.$/);
    expect(meaning.toLowerCase()).toContain(`${sentence.toLowerCase()}. `);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  });
});

it("raises every documented code of the library and the gateway", () => {
  const codes = [...errorCodes, ...ownCodes];
  expect(codes.length).toBeGreaterThan(90);
  expect(codes.filter((code) => !raising.includes(`"${code}"`))).toEqual([]);
});
