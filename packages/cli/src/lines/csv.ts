import { DaypassError } from "daypass";
import { isObject, type JsonObject } from "daypass/schemes";
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

// Fields that name an object, and fields that may replace the name.
const OBJECT_NAMES = new Set(["key", "object", "blob"]);
const IN_ITS_STEAD = new Set(["prefix", "resource", "url", "services"]);
// Kinds of a SAS for one blob. An account SAS names no blob.
const KINDS_OF_OBJECTS = new Set<unknown>(["service", "user-delegation"]);
// Parameters of calls on one object. They do not show that a call is on a bucket.
const OF_OBJECTS = /^(?:versionid|partnumber|uploadid|generation|response-.*|x-.*)$/i;

/**
 * Makes a reader for a header row. A column's name is a field of a line: a dot leads into an object, and `:json` at the end means that the
 * cells are JSON. An empty cell means an absent field. A record whose object has no name is refused, because it would be a URL for the
 * whole bucket, unless another field replaces the name.
 */
export function csvReader(header: string): CsvReader {
  const names = csvCells(header);
  const seen = new Set<string>();
  for (const name of names) {
    // In a file with carriage returns alone, as old Macs wrote, everything would be the header row.
    if (name.includes("\r")) throw invalid(`a line feed after the header row, found a carriage return alone`);
    if (name === "" || seen.has(name) || name.split(".").includes("__proto__"))
      throw invalid(`a header row that names each column once, found ${JSON.stringify(name)}`);
    seen.add(name);
  }
  const columns = names.map(column);
  const nameColumns = columns.filter(({ path }) => isOf(OBJECT_NAMES, path));
  return (record) => {
    if (typeof record !== "string") throw invalid(`a record that can be read, found ${record.found}`);
    const cells = csvCells(record);
    if (cells.length !== columns.length)
      throw invalid(`a record of ${columns.length} cells as the header row has, found ${cells.length}`);
    const object: Record<string, unknown> = {};
    for (const [i, { path, read }] of columns.entries()) {
      const cell = cells[i];
      if (cell !== undefined && cell !== "") put(object, path, read(cell));
    }
    if (nameColumns.length > 0 && !saysWhat(object))
      throw invalid(`a name in the column ${nameColumns.map(({ name }) => name).join(" or ")}, found an empty cell`);
    return object;
  };
}

/** Whether a line names an object, or has a field that replaces the name. */
function saysWhat(line: JsonObject): boolean {
  const { form, kind, query } = line;
  return (
    [line, form].some((place) => isObject(place) && [...OBJECT_NAMES, ...IN_ITS_STEAD].some((name) => name in place)) ||
    (kind !== undefined && !KINDS_OF_OBJECTS.has(kind)) ||
    (isObject(query) && Object.keys(query).some((name) => !OF_OBJECTS.test(name)))
  );
}

/** Whether a column is one of these fields of the line or of its form. */
function isOf(fields: ReadonlySet<string>, path: readonly string[]): boolean {
  return fields.has(path.at(-1) ?? "") && (path.length === 1 || (path.length === 2 && path[0] === "form"));
}

function column(name: string): Column {
  const isJson = name.endsWith(":json");
  const parts = (isJson ? name.slice(0, -":json".length) : name).split(".");
  const map = parts.findIndex((part) => MAPS.has(part));
  const path =
    map < 0 || map >= parts.length - 2 ? parts : [...parts.slice(0, map + 1), parts.slice(map + 1).join(".")];
  return { name, path, read: isJson ? json : map < 0 ? (CELLS.get(path.at(-1) ?? "") ?? asIs) : asIs };
}

const CELLS: ReadonlyMap<string, (cell: string) => unknown> = new Map([
  ...[...NUMBERS].map((name) => [name, numberOrText] as const),
  ...[...FLAGS].map((name) => [name, flagOrText] as const),
  ...[...LISTS].map((name) => [name, (cell: string): unknown => cell.split(" ")] as const),
]);

function asIs(cell: string): unknown {
  return cell;
}

// Other text stays text, and the scheme's error says what it expected.
function numberOrText(cell: string): unknown {
  return /^-?\d{1,15}$/.test(cell) ? Number(cell) : cell;
}

function flagOrText(cell: string): unknown {
  return cell === "true" ? true : cell === "false" ? false : cell;
}

function json(cell: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(cell);
  } catch {
    throw invalid("JSON in a column whose name ends in :json, found other text");
  }
  if (repeatsMember(cell, value)) throw invalid("each name once in the JSON of a cell, found one twice");
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
    else throw invalid(`${JSON.stringify(part)} as a value or as an object, found columns for both`);
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
    if (quote < 0)
      throw invalid("a quote at the end of a quoted cell, found none: what follows cannot be told apart from it");
    cell += text.slice(at, quote);
    const end = quote + 1;
    if (text[end] === '"') {
      cell += '"';
      at = end + 1;
    } else if (end === text.length || text[end] === ",") return { cell, end };
    else throw invalid("a comma after a quoted cell, found other text");
  }
}

function invalid(rest: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${rest}: correct the CSV`);
}

/** One record. Cells contain no line breaks, so a record is one line. */
export function csvRecord(cells: readonly string[]): string {
  return cells.map((cell) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
}
