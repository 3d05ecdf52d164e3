import { DaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import type { Unreadable } from "./answer.ts";
import { repeatsMember } from "./json-members.ts";

/** Reads a record of a CSV file as the object that a line of JSON would be. */
export type CsvReader = (record: string | Unreadable) => JsonObject;

interface Column {
  readonly name: string;
  readonly path: readonly string[];
  readonly read: (cell: string) => unknown;
}

// Names below these are headers, parameters or form fields, which may contain dots.
const MAPS = new Set(["headers", "query", "fields"]);

const NUMBERS = new Set(["expiresIn", "stableWindow", "uses", "contentLength", "min", "max"]);
const FLAGS = new Set(["createOnly"]);
const LISTS = new Set(["methods", "vary", "regionSet"]);

/**
 * Makes a reader for a header row. A column's name is a field of a line: a dot leads into an object, and `:json` at the end means that the
 * cells are JSON. An empty cell means an absent field.
 */
export function csvReader(header: string): CsvReader {
  const names = csvCells(header);
  const seen = new Set<string>();
  for (const name of names) {
    // In a file with carriage returns alone, as old Macs wrote, everything would be the header row.
    if (name.includes("\r")) throw invalid("the header row has no line feed. Save the file with line feeds");
    if (name === "" || seen.has(name) || name.split(".").includes("__proto__"))
      throw invalid(`the column ${JSON.stringify(name)} is empty, repeated or reserved. Name each column once`);
    seen.add(name);
  }
  const columns = names.map(column);
  return (record) => {
    if (typeof record !== "string") throw invalid(`the record ${record.problem}`);
    const cells = csvCells(record);
    if (cells.length !== columns.length)
      throw invalid(`the record has ${cells.length} cells, not ${columns.length}. Quote cells that contain a comma`);
    const object: Record<string, unknown> = {};
    for (const [i, { path, read }] of columns.entries()) {
      const cell = cells[i];
      if (cell !== undefined && cell !== "") put(object, path, read(cell));
    }
    return object;
  };
}

function column(name: string): Column {
  const isJson = name.endsWith(":json");
  const parts = (isJson ? name.slice(0, -":json".length) : name).split(".");
  const map = parts.findIndex((part) => MAPS.has(part));
  const path =
    map < 0 || map >= parts.length - 2 ? parts : [...parts.slice(0, map + 1), parts.slice(map + 1).join(".")];
  const read = map < 0 ? (CELLS.get(path.at(-1) ?? "") ?? asIs) : asIs;
  return { name, path, read: isJson ? (cell) => json(name, cell) : read };
}

const CELLS: ReadonlyMap<string, (cell: string) => unknown> = new Map([
  ...[...NUMBERS].map((name) => [name, numberOrText] as const),
  ...[...FLAGS].map((name) => [name, flagOrText] as const),
  ...[...LISTS].map((name) => [name, (cell: string): unknown => cell.split(" ")] as const),
]);

function asIs(cell: string): unknown {
  return cell;
}

// Other text stays text, and the scheme's error says what to pass.
function numberOrText(cell: string): unknown {
  return /^-?\d{1,15}$/.test(cell) ? Number(cell) : cell;
}

function flagOrText(cell: string): unknown {
  return cell === "true" ? true : cell === "false" ? false : cell;
}

function json(column: string, cell: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(cell);
  } catch {
    throw invalid(`the cell of ${column} is not JSON. Correct it`);
  }
  if (repeatsMember(cell, value)) throw invalid(`the cell of ${column} names a field twice. Remove one of them`);
  return value;
}

function put(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let parent = object;
  for (const part of path.slice(0, -1)) {
    const child = Object.hasOwn(parent, part) ? parent[part] : undefined;
    if (child === undefined) {
      const made: Record<string, unknown> = {};
      parent[part] = made;
      parent = made;
    } else if (typeof child === "object" && child !== null) parent = child as Record<string, unknown>;
    else throw invalid(`${JSON.stringify(part)} has its own column and columns below it. Leave one of them out`);
  }
  parent[path.at(-1) ?? ""] = value;
}

/**
 * The cells of one record, by RFC 4180: quotes enclose a whole cell, and are doubled inside. A quote inside a cell that does not begin with
 * one is that character, as in `5" disk.jpg`. Every other deviation is refused, because a URL would be signed for a guess.
 */
function csvCells(record: string): readonly string[] {
  const text = record.endsWith("\r") ? record.slice(0, -1) : record;
  if (!text.includes('"')) return text.split(",");
  const cells: string[] = [];
  for (let at = 0; ; ) {
    const { cell, end } = text[at] === '"' ? quotedCell(text, at + 1) : plainCell(text, at);
    cells.push(cell);
    if (end >= text.length) return cells;
    at = end + 1;
  }
}

/** A cell, and the position of the comma after it. */
interface Cell {
  readonly cell: string;
  readonly end: number;
}

function plainCell(text: string, start: number): Cell {
  const comma = text.indexOf(",", start);
  const end = comma < 0 ? text.length : comma;
  return { cell: text.slice(start, end), end };
}

/** A quoted cell, read from after its first quote. */
function quotedCell(text: string, start: number): Cell {
  let cell = "";
  for (let at = start; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw invalid("a quoted cell has no closing quote. Close it, and double each quote inside");
    cell += text.slice(at, quote);
    const end = quote + 1;
    if (text[end] === '"') {
      cell += '"';
      at = end + 1;
    } else if (end === text.length || text[end] === ",") return { cell, end };
    else throw invalid("a quoted cell is followed by text. Double each quote inside a quoted cell");
  }
}

function invalid(message: string): DaypassError {
  return new DaypassError("INVALID_INPUT", message);
}

/** One record. Cells contain no line breaks, so a record is one line. */
export function csvRecord(cells: readonly string[]): string {
  return cells.map((cell) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
}
