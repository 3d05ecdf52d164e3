import { readFileSync } from "node:fs";
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

const request = { method: "GET", target: "/", authority: "files.example.com", headers: [] };

describe("the codes of the gateway in docs/errors.md", () => {
  it("are all that there are, and no others", () => {
    expect([...rows.keys()].sort()).toEqual([...ownCodes].sort());
  });

  it.each(ownCodes)("%s has its statuses, its sentence, what it means and what to do", (code) => {
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
