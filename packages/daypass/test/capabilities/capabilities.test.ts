import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explain } from "../../src/explain/index.ts";
import { isDaypassError } from "../../src/index.ts";
import { type Capabilities, probe } from "./probe.ts";
import { shapes } from "./shapes.ts";
import { subjects } from "./subjects.ts";

// The table of docs/schemes is what these experiments have shown. `CAPABILITIES=write npx vitest run capabilities`
// writes it anew; without that a page that says something else fails.
const page = new URL("../../../../docs/schemes/capabilities.md", import.meta.url);
const BEGIN = "<!-- generated: begin -->\n";
const END = "<!-- generated: end -->";

const AT = new Date("2026-01-02T03:04:05Z");

describe("what each scheme binds", async () => {
  const found = await Promise.all(subjects.map(probe));

  it("stands in docs/schemes/capabilities.md as it was seen", () => {
    const text = readFileSync(page, "utf8");
    const [before, rest = ""] = text.split(BEGIN);
    const written = rest.split(END);
    const table = `${constraintTable(found)}\n${openTable(found)}`;
    if (process.env["CAPABILITIES"] === "write") {
      writeFileSync(page, `${before}${BEGIN}${table}${END}${written[1]}`);
      return;
    }
    expect(written[0]).toBe(table);
  });

  it.each(shapes)("is the same in another shape: $subject.scheme", async ({ subject, row, but }) => {
    const { constraints } = await probe(subject);
    expect(constraints).toEqual({ ...found.find(({ scheme }) => scheme === row)?.constraints, ...but });
  });

  // From JavaScript, where no compiler has seen it.
  it.each(subjects)("is no binding that nobody knows: $scheme", async ({ sign }) => {
    const bind = { contenttype: "image/png" } as object;
    const code = await (async () => sign({ expiresIn: 60, bind }, new Date()))().then(() => "signed", codeOf);
    expect(["INVALID_INPUT", "UNSUPPORTED_CONSTRAINT"]).toContain(code);
  });

  // As the AWS SDK spells it, and what the Daypass URL alone can bind: dropped in silence either would leave open what was to be
  // bound.
  it.each(subjects)("is nothing beside bind that it does not know: $scheme", async ({ scheme, sign }) => {
    const unknown = [{ ContentType: "image/png" }, { maxLength: 9 }, ...(scheme === "url" ? [] : [{ uses: 1 }])];
    for (const more of unknown) {
      const signed = (async () => sign({ expiresIn: 60, ...more } as object, new Date()))();
      expect(["INVALID_INPUT", "UNSUPPORTED_CONSTRAINT"]).toContain(await signed.then(() => "signed", codeOf));
    }
  });

  it.each(subjects.map((subject, i) => ({ ...subject, open: found[i]?.leavesOpen ?? [] })))(
    "is never left open where the signer does not call it unbound: $scheme",
    async ({ sign, open }) => {
      const { unbound } = await sign({ expiresIn: 60 }, AT);
      const named = { scheme: "scheme", origin: "host", "other query parameters": "query" };
      for (const [what, word] of Object.entries(named)) {
        if (open.includes(what)) expect(unbound.join()).toContain(word);
      }
    },
  );

  it.each(subjects.map((subject, i) => ({ ...subject, open: found[i]?.leavesOpen ?? [] })))(
    "is never left open where explain does not say so: $scheme",
    async ({ sign, open }) => {
      const { leavesOpen } = await explain((await sign({ expiresIn: 60 }, AT)).url, { clock: () => AT });
      const named = { scheme: "scheme", origin: "host", "other headers": "header" };
      for (const [what, word] of Object.entries(named)) {
        if (open.includes(what)) expect(leavesOpen.join()).toContain(word);
      }
    },
  );

  it.each(subjects.filter((_, i) => found[i]?.constraints["prefix"] === "binds"))(
    "is a prefix, and what is left open below it signer and explain tell: $scheme",
    async ({ sign, prefix }) => {
      const { url, unbound } = await sign({ expiresIn: 60, prefix: prefix?.value }, AT);
      const { leavesOpen } = await explain(url, { clock: () => AT });
      const told = /which|below|rest|stand for|path/;
      expect([unbound.join(), leavesOpen.join()]).toEqual([expect.stringMatching(told), expect.stringMatching(told)]);
    },
  );

  it("is the end, in every scheme", () => {
    expect(found.filter(({ constraints }) => constraints["expiresIn, expiresAt"] !== "binds")).toEqual([]);
  });
});

function codeOf(error: unknown): string {
  return isDaypassError(error) ? error.code : String(error);
}

function constraintTable(found: readonly Capabilities[]): string {
  const names = Object.keys(found[0]?.constraints ?? {});
  const mark = { binds: "●", some: "(●)", obligation: "◐", refuses: "–" } as const;
  return [
    `| scheme | ${names.map((name) => `\`${name}\``).join(" | ")} |`,
    `|---|${names.map(() => ":-:|").join("")}`,
    ...found.map(
      ({ scheme, constraints }) =>
        `| \`${scheme}\` | ${names.map((name) => mark[constraints[name] as keyof typeof mark]).join(" | ")} |`,
    ),
    "",
  ].join("\n");
}

function openTable(found: readonly Capabilities[]): string {
  return [
    "| scheme | a holder can change |",
    "|---|---|",
    ...found.map(({ scheme, leavesOpen }) => `| \`${scheme}\` | ${leavesOpen.join(", ") || "nothing of these"} |`),
    "",
  ].join("\n");
}
