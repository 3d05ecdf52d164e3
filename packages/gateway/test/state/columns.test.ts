import { expect, it } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { fieldList } from "../../src/state/contract/fields.ts";
import { tables } from "../../src/state/contract/tables.ts";
import { migrations as postgres } from "../../src/state/postgres/migrations.ts";
import { statements as ofPostgres } from "../../src/state/postgres/statements.ts";
import { migrations as sqlite } from "../../src/state/sqlite/migrations.ts";
import { statements as ofSqlite } from "../../src/state/sqlite/statements.ts";

const TYPES: Readonly<Record<string, string>> = {
  text: "text",
  instant: "integer",
  count: "integer",
  bytes: "integer",
  linkKind: "text",
};

/** The columns of the fields of a link, then the columns of no field. */
const ofLinks = fieldList
  .filter(({ stored }) => stored !== "settings")
  .map(({ stored, kind, isOptional }) => `${stored} ${TYPES[kind]}${isOptional ? "" : " not null"}`);
const others = ["settings text not null", "idempotency text", "warned integer not null"];

const columns: Readonly<Record<string, readonly string[]>> = {
  link: [...ofLinks, ...others],
  ...Object.fromEntries(
    Object.entries(tables).map(([table, kinds]) => [
      table,
      Object.entries<string>(kinds).map(([name, kind]) =>
        kind.endsWith("?") ? `${name} ${kind.slice(0, -1)}` : `${name} ${kind} not null`,
      ),
    ]),
  ),
};

/** How the engines name the link of a row. */
const places: Readonly<Record<string, Readonly<Record<"sqlite" | "postgres", readonly string[]>>>> = {
  link: { sqlite: ["number integer"], postgres: [] },
  variant: { sqlite: ["link_number integer not null"], postgres: ["link text not null"] },
  delivery: { sqlite: ["number integer", "link_number integer not null"], postgres: ["link text not null"] },
};

/** Columns by the texts of the migrations, because only a server could name its real ones. */
function columnsInText(texts: readonly string[], name: string): string[] {
  const [, table = ""] =
    new RegExp(`CREATE TABLE daypass\\.${name} \\(([^;]*?)\\)(?: WITH \\([^)]*\\))?;`).exec(texts.join(";\n")) ?? [];
  const added = [...texts.join(";\n").matchAll(new RegExp(`ALTER TABLE daypass\\.${name} ADD COLUMN ([^;]*)`, "g"))];
  const lines = [...table.split(/,(?![^(]*\))/), ...added.map(([, column = ""]) => column)].map((line) => line.trim());
  const dropped = texts.join(";\n").matchAll(new RegExp(`ALTER TABLE daypass\\.${name} DROP COLUMN (\\w+)`, "g"));
  const gone = [...dropped].map(([, column]) => column);
  const keys = lines.flatMap((line) => /^PRIMARY KEY \((.*)\)/.exec(line)?.[1]?.split(", ") ?? []);
  return lines.flatMap((line) => {
    const [, column = "", type = ""] = /^([a-z]\w*) (\w+)/.exec(line) ?? [];
    if (gone.includes(column)) return [];
    const isRequired = /NOT NULL|PRIMARY KEY/.test(line) || keys.includes(column);
    return column && `${column} ${type.replace(/^(?:big)?int$/, "integer")}${isRequired ? " not null" : ""}`;
  });
}

for (const [table, expected] of Object.entries(columns)) {
  it(`finds the columns of the table ${table} in SQLite`, async () => {
    const db = await openDatabase(":memory:");
    for (const one of sqlite) db.exec(one);
    const rows = db.prepare<"name" | "type" | "notnull" | "pk">(`PRAGMA table_info(${table})`).all();
    db.close();
    const found = rows.map(({ name, type, notnull, pk }) => {
      const isRequired = notnull !== 0 || (pk !== 0 && name !== "number");
      return `${name} ${String(type).toLowerCase()}${isRequired ? " not null" : ""}`;
    });
    expect(found.sort()).toEqual([...expected, ...(places[table]?.sqlite ?? [])].sort());
  });

  it(`finds the columns of the table ${table} in the migrations of PostgreSQL`, () => {
    const found = columnsInText(postgres, table).filter((column) => column !== "");
    expect(found.sort()).toEqual([...expected, ...(places[table]?.postgres ?? [])].sort());
  });
}

it("finds the revocations that a sweep removes by an index in SQLite", async () => {
  const db = await openDatabase(":memory:");
  for (const one of sqlite) db.exec(one);
  const [plan] = db.prepare<"detail">(`EXPLAIN QUERY PLAN ${ofSqlite.removeRevocations}`).all(1);
  db.close();
  expect(plan?.detail).toContain("USING INDEX revocation_by_end");
});

/** What the database fills in. */
const DEFAULTS: Readonly<Record<string, readonly string[]>> = { outbox: ["id", "failures", "error", "dead_at"] };
const inserts = Object.entries({ SQLite: ofSqlite, PostgreSQL: ofPostgres }).flatMap(([engine, statements]) =>
  Object.values<string>(statements).flatMap((text) =>
    [
      ...text.matchAll(
        /INSERT INTO (?:daypass\.)?(\w+)(?: AS \w+)?( SELECT \* FROM json_populate_recordset| \([^)]*\))?/g,
      ),
    ]
      .filter(([, table = ""]) => Object.hasOwn(tables, table))
      .map(([, table = "", named]) => ({ engine, table, named })),
  ),
);

it.each(inserts)("$engine binds each column of a new row of $table", ({ table, named = "" }) => {
  // A whole row in JSON, whose type is the table's.
  if (named.startsWith(" SELECT")) return;
  const bound = named
    .replace(/[()]/g, "")
    .split(/, ?/)
    .map((one) => one.trim());
  const wanted = Object.keys(tables[table as keyof typeof tables]).filter((one) => !DEFAULTS[table]?.includes(one));
  expect(bound.filter((one) => one !== "link_number").sort()).toEqual(wanted.sort());
});
