import { expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { fieldList } from "../../src/state/contract/fields.ts";
import { migrations as postgres } from "../../src/state/postgres/migrations.ts";
import { migrations as sqlite } from "../../src/state/sqlite/migrations.ts";

const TYPES: Readonly<Record<string, string>> = {
  text: "text",
  instant: "integer",
  count: "integer",
  linkKind: "text",
};

/** The columns of the fields, then the columns of no field. */
const columns = fieldList
  .filter(({ stored }) => stored !== "settings")
  .map(({ stored, kind, isOptional }) => `${stored} ${TYPES[kind]}${isOptional ? "" : " not null"}`);
const others = ["settings text not null", "idempotency text", "warned integer not null"];

/** Columns by the texts of the migrations, because only a server could name its real ones. */
function columnsInText(texts: readonly string[]): string[] {
  const [, table = ""] = /CREATE TABLE daypass\.link \(\n([^;]*)\n\);/.exec(texts.join("\n")) ?? [];
  const added = [...texts.join("\n").matchAll(/ALTER TABLE daypass\.link ADD COLUMN ([^;]*)/g)];
  return [...table.split(",\n"), ...added.map(([, column = ""]) => column)].map((line) => {
    const [, name = "", type = ""] = /^\s*(\w+) (\w+)/.exec(line) ?? [];
    const isRequired = /NOT NULL|PRIMARY KEY/.test(line);
    return `${name} ${type.replace(/^(?:big)?int$/, "integer")}${isRequired ? " not null" : ""}`;
  });
}

it("finds the column of every field of a link in SQLite", async () => {
  const db = await openDatabase(":memory:");
  for (const one of sqlite) db.exec(one);
  const rows = db.prepare<"name" | "type" | "notnull" | "pk">("PRAGMA table_info(link)").all();
  db.close();
  const found = rows.filter(({ pk }) => pk === 0);
  expect(
    found.map(({ name, type, notnull }) => `${name} ${String(type).toLowerCase()}${notnull ? " not null" : ""}`).sort(),
  ).toEqual([...columns, ...others].sort());
});

it("finds the column of every field of a link in the migrations of PostgreSQL", () => {
  expect(columnsInText(postgres).sort()).toEqual([...columns, ...others].sort());
});
