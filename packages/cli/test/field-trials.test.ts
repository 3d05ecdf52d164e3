import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "./command.ts";

// Each test changes a copy of the sources as a developer would, and runs the compiler and the tests of the copy.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const FIELDS = "packages/gateway/src/state/contract/fields.ts";
const SQLITE = "packages/gateway/src/state/sqlite/migrations.ts";
const POSTGRES = "packages/gateway/src/state/postgres/migrations.ts";
const PAGE = "docs/links.md";
const COLUMNS = "packages/gateway/test/state/columns.test.ts";
const DOCUMENTED = "packages/gateway/test/links/documented-fields.test.ts";
const STORED = "packages/cli/test/link-fields.test.ts";

/** What the tests of a copy need. */
const COPIED = [
  "packages/gateway/package.json",
  "packages/gateway/src",
  "packages/cli/package.json",
  "packages/cli/src",
  "packages/cli/test/command.ts",
  "tsconfig.base.json",
  PAGE,
  COLUMNS,
  DOCUMENTED,
  STORED,
];
const CONFIG = {
  extends: "./tsconfig.base.json",
  compilerOptions: {
    composite: false,
    isolatedDeclarations: false,
    declarationMap: false,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
  },
};
const VITEST = `const conditions = ["@daypass/source", "module", "node"];
export default { resolve: { conditions }, ssr: { resolve: { conditions } }, test: { testTimeout: 60000 } };`;

/** A copy of the sources, in which the packages import each other's copies. */
function copySources() {
  const folder = temporaryFolder();
  for (const path of COPIED) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, "packages/daypass"), join(folder, "packages/daypass"));
  mkdirSync(join(folder, "node_modules/@daypass"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!["@daypass", "daypass"].includes(name))
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  symlinkSync(join(folder, "packages/daypass"), join(folder, "node_modules/daypass"));
  symlinkSync(join(folder, "packages/gateway"), join(folder, "node_modules/@daypass/gateway"));
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
  write("vitest.config.mjs", VITEST);
  write("all.json", JSON.stringify({ ...CONFIG, include: ["packages/gateway/src", "packages/cli/src"] }));
  write("row.json", JSON.stringify({ ...CONFIG, files: [FIELDS] }));

  /** Inserts a line before the last line that begins with `end`. Without a text, restores the file. */
  function add(path: string, end: string, line = ""): void {
    const text = readFileSync(join(root, path), "utf8");
    const at = text.lastIndexOf(`\n${end}`) + 1;
    expect(at).toBeGreaterThan(0);
    write(path, text.slice(0, at) + line + text.slice(at));
  }
  /** What a tool of the repository prints. */
  const print = (tool: string, ...args: readonly string[]): Promise<string> =>
    new Promise((done) => {
      const env = { PATH: process.env["PATH"], NO_COLOR: "1" };
      execFile(
        process.execPath,
        [join(root, "node_modules", tool), ...args],
        { cwd: folder, env },
        (_, stdout, stderr) => done(stdout + stderr),
      );
    });
  return {
    add,
    compile: (config: string) => print("typescript/bin/tsc", "-p", config),
    run: (...args: readonly string[]) => print("vitest/vitest.mjs", "run", ...args),
  };
}

const MEMBERS = ['kind: "text?"', 'stored: "settings"', "editable: true", 'api: ["--ticket ID", "the request"]'];
const rowOf = (members: readonly string[]): string => `  ticket: { ${members.join(", ")} },\n`;
const COLUMN = rowOf(MEMBERS).replace("settings", "ticket");
/** The tests that a field concerns: three of every field, and two of its option. */
const CONCERNED = [DOCUMENTED, COLUMNS, STORED, "-t", "ticket|every field|table link "];
const PASSED = /Tests +5 passed/;
const LINE = "| `ticket` | `--ticket ID` | yes | the request |\n";

test("adds a field by a row and a line of a page, and misses each part that is left out", {
  timeout: 300_000,
}, async () => {
  const { add, compile, run } = copySources();
  add(FIELDS, "} as const;", rowOf(MEMBERS));
  expect(await run(DOCUMENTED)).toContain("the request");
  add(PAGE, "\n## The life of a delivery", LINE);
  expect(await compile("all.json")).toBe("");
  expect(await run(...CONCERNED)).toMatch(PASSED);
  for (const member of MEMBERS) {
    add(FIELDS, "} as const;", rowOf(MEMBERS.filter((one) => one !== member)));
    expect(await compile("row.json")).toMatch(/fields\.ts.*error/);
  }
});

test("adds a column by a row and a migration of each engine, and misses each part that is left out", {
  timeout: 300_000,
}, async () => {
  const { add, run } = copySources();
  const parts: readonly (readonly [path: string, end: string, line: string])[] = [
    [FIELDS, "} as const;", COLUMN],
    [SQLITE, "];", '  "ALTER TABLE link ADD COLUMN ticket TEXT",\n'],
    [POSTGRES, "];", '  "ALTER TABLE daypass.link ADD COLUMN ticket text",\n'],
  ];
  add(PAGE, "\n## The life of a delivery", LINE);
  for (const part of parts) add(...part);
  expect(await run(...CONCERNED)).toMatch(PASSED);
  for (const [path, end, line] of parts) {
    add(path, end);
    expect(await run(COLUMNS)).toContain("ticket text");
    add(path, end, line);
  }
});
