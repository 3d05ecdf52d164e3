import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explain } from "../../src/explain/index.ts";
import { isDaypassError } from "../../src/index.ts";
import { AT, subjects as all, type Subject } from "../registry.ts";
import { type Capabilities, probe, sign } from "./probe.ts";

// Experiments make the table of docs/schemes. `CAPABILITIES=write npx vitest run capabilities` writes it again.
const page = new URL("../../../../docs/schemes/capabilities.md", import.meta.url);
const BEGIN = "<!-- generated: begin -->\n";
const END = "<!-- generated: end -->";

const probed = all.filter(({ example }) => example.probe !== undefined);
const subjects = probed.filter(({ example }) => example.probe?.sameAs === undefined);
const variants = probed.filter(({ example }) => example.probe?.sameAs !== undefined);

const found = await Promise.all(subjects.map(probe));
const open = (subject: Subject): readonly string[] => found[subjects.indexOf(subject)]?.leavesOpen ?? [];
/** Whether a text has the word for everything that a holder can change. */
function expectNamed(subject: Subject, text: string, words: Readonly<Record<string, string>>): void {
  for (const [what, word] of Object.entries(words)) if (open(subject).includes(what)) expect(text).toContain(word);
}

describe("capabilities", () => {
  it("equal the table in docs/schemes/capabilities.md", () => {
    const text = readFileSync(page, "utf8");
    const [before, rest = ""] = text.split(BEGIN);
    const [written, after] = rest.split(END);
    const table = `${constraintTable(found)}\n${openTable(found)}`;
    if (process.env["CAPABILITIES"] === "write") writeFileSync(page, `${before}${BEGIN}${table}${END}${after}`);
    else expect(written).toBe(table);
  });

  it.each(variants)("of $name equal the row of its scheme", async (subject) => {
    const { sameAs, but } = subject.example.probe ?? {};
    const { constraints } = await probe(subject);
    expect(constraints).toEqual({ ...found.find(({ scheme }) => scheme === sameAs)?.constraints, ...but });
  });

  // The AWS SDK spells ContentType so. A constraint that is dropped silently leaves the URL open.
  it.each(subjects)("of $name include no unknown option, inside or outside of bind", async (subject) => {
    const unknown = [
      ...[{ bind: { contenttype: "image/png" } }, { ContentType: "image/png" }, { maxLength: 9 }],
      ...(subject.name === "url" ? [] : [{ uses: 1 }]),
    ];
    for (const more of unknown) {
      const code = await sign(subject, { expiresIn: 60, ...more }, AT).then(() => "signed", codeOf);
      expect(["INVALID_INPUT", "UNSUPPORTED_CONSTRAINT"]).toContain(code);
    }
  });

  it.each(subjects)("that $name lacks are named by the signer and by explain", async (subject) => {
    const { unbound, url } = await sign(subject, { expiresIn: 60 }, AT);
    const { leavesOpen } = await explain(url, { clock: () => AT });
    expectNamed(subject, unbound.join(), { scheme: "scheme", origin: "host", "other query parameters": "query" });
    expectNamed(subject, leavesOpen.join(), { scheme: "scheme", origin: "host", "other headers": "header" });
  });

  it.each(subjects.filter((_, i) => found[i]?.constraints["prefix"] === "binds"))(
    "of $name: signer and explain say what a prefix leaves open",
    async (subject) => {
      const prefix = subject.example.probe?.prefix?.value;
      const { url, unbound } = await sign(subject, { expiresIn: 60, prefix }, AT);
      const { leavesOpen } = await explain(url, { clock: () => AT });
      const says = expect.stringMatching(/which|below|rest|stand for|path/);
      expect([unbound.join(), leavesOpen.join()]).toEqual([says, says]);
    },
  );

  it("include the expiry in every scheme", () => {
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
