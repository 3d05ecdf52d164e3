import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compile } from "../api/examples.mjs";
import { faultsOf } from "../api/faults.mjs";
import { readProject } from "../api/project.mjs";

// Inside the workspace, as TypeDoc names modules from its root.
const folder = mkdtempSync(fileURLToPath(new URL(".api-", import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

const MODULE = "/**\n * A sample.\n * @module\n */\n";
const EXAMPLE = "@example\n * ```ts\n * f;\n * ```";

const whole = `${MODULE}
/** What {@link f} takes. */
export interface Options {
  readonly name: string;
  /** Seconds. */
  readonly life: number;
  /** Ends it. */
  close(): void;
}
/**
 * Does what \`name\` says.
 *
 * @param target a URL
 * @throws {DaypassError} \`MALFORMED\` for no URL
 * ${EXAMPLE}
 */
export function f(name: string, target: string, options: Options): void {}
`;

const faulty: readonly (readonly [what: string, source: string, fault: RegExp])[] = [
  ["a module that says nothing", "", /does not say what it is: /],
  ["a function that says nothing", `${MODULE}/** ${EXAMPLE} */export function f(): void {}`, /\.f has no docstring: /],
  ["a function without an example", `${MODULE}/** Does it. */\nexport function f(): void {}`, /\.f has no @example$/],
  [
    "a parameter that is not spoken of",
    `${MODULE}/**\n * Does it.\n * ${EXAMPLE}\n */\nexport function f(url: string): void {}`,
    /\.f does not say what url is: /,
  ],
  [
    "a code that is none",
    `${MODULE}/**\n * Does it.\n * @throws {DaypassError} \`MALFORMD\`\n * ${EXAMPLE}\n */\nexport function f(): void {}`,
    /\.f throws MALFORMD, which is not in docs/,
  ],
  ["an interface that says nothing", `${MODULE}export interface O { readonly a: string }`, /\.O has no docstring: /],
  ["a type that says nothing", `${MODULE}export type T = "a";`, /\.T has no docstring: /],
  ["a method that says nothing", `${MODULE}/** It. */\nexport interface O { close(): void }`, /\.O\.close has no doc/],
  [
    "a number without a unit",
    `${MODULE}/** It. */\nexport interface O { readonly life?: number | undefined }`,
    /\.O\.life is a number: /,
  ],
  ...(
    [
      ["a flag without a default", "boolean", "flag"],
      ["an instant that is the first or the last of something", "Date", "instant"],
      ["a record of who knows what", "Readonly<Record<string, string>>", "record"],
      ["a list of who knows what", "readonly string[]", "list"],
      ["a list of one thing or another", "readonly (string | Date)[]", "list"],
    ] as const
  ).map(
    ([what, type, kind]) =>
      [
        what,
        `${MODULE}/** It. */\nexport interface O { readonly member?: ${type} | undefined }`,
        new RegExp(`\\.O\\.member is an? ${kind}: `),
      ] as const,
  ),
  ["a link to what is not there", `${MODULE}/** As {@link nothing}. */\nexport type T = "a";`, /link to "nothing"/],
  [
    "a type that users cannot see",
    `${MODULE}interface Hidden { readonly a: string }\n/** It. */\nexport type T = Hidden | "a";`,
    /^Hidden, .* but not included in the documentation$/,
  ],
];

const sources = [whole, ...faulty.map(([, source]) => source)];
let faults: readonly string[] = [];
const faultsIn = (i: number): readonly string[] => faults.filter((fault) => new RegExp(`sample/${i}\\b`).test(fault));

beforeAll(async () => {
  writeFileSync(`${folder}/package.json`, JSON.stringify({ name: "sample", type: "module" }));
  const compilerOptions = { module: "nodenext", target: "es2022", strict: true, noEmit: true };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const entryPoints = sources.map((_, i) => ({ specifier: `sample/${i}`, source: `${folder}/${i}.ts` }));
  for (const [i, source] of sources.entries()) writeFileSync(`${folder}/${i}.ts`, source);
  const { project, remarks } = await readProject(entryPoints, `${folder}/tsconfig.json`, { sample: [] });
  faults = [...remarks, ...faultsOf(project, new Set(["MALFORMED"]))];
});

it("finds nothing to say about docstrings that are whole", () => {
  expect(faultsIn(0)).toEqual([]);
});

it.each(faulty.map(([what, , fault], i) => ({ what, fault, page: i + 1 })))("finds $what", ({ fault, page }) => {
  expect(faultsIn(page)).toEqual([expect.stringMatching(fault)]);
});

it("finds a sample that does not compile, and none that does", () => {
  const good = {
    name: "good.mts",
    code: 'import { parseTarget } from "daypass";\nconsole.log(parseTarget("/").path);',
  };
  const bad = { name: "bad.mts", code: 'import { parseTarget } from "daypass";\nconsole.log(parseTarget("/").paths);' };
  expect(compile([good, bad])).toEqual([expect.stringMatching(/bad\.mts\(2,.*'paths' does not exist/)]);
});
