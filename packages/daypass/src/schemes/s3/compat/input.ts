import { invalidInput } from "../../../core/errors.ts";
import type { EncodedPair } from "../../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../../wire/encoding.ts";
import { DATE_TIME, EPOCH, HTTP_DATE, type Operation, TIMESTAMP } from "./operation.ts";
import type { CommandInput } from "./sdk.ts";

/** A command's input, taken apart. */
export interface BoundInput {
  /** Encoded path below that of the endpoint. */
  readonly path: string;
  readonly query: readonly EncodedPair[];
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The Content-Type where the headers have none. */
  readonly contentType: string | undefined;
  /** The body, or what is written into it as XML. */
  readonly body: unknown;
  readonly isStructured: boolean;
}

const NONE: ReadonlyMap<string, string> = new Map();
const ALGORITHM = "x-amz-sdk-checksum-algorithm";
const CHECKSUM = /^x-amz-checksum-(?!mode$|type$)/;

/** Puts each member where its binding says. Throws `INVALID_INPUT`. */
export function bindInput(operation: Operation, input: CommandInput): BoundInput {
  const { name, members, before, label, labels, query, contentType } = operation;
  let pairs: EncodedPair[] | undefined;
  let headers: Map<string, string> | undefined;
  let path = before;
  let found = 0;
  let body: unknown;
  let isStructured = false;
  for (const member in input) {
    const value: unknown = input[member];
    const binding = members.get(member);
    if (binding === undefined || value === undefined || value === null) continue;
    const { place, name: wire, type } = binding;
    if (place === "query") {
      for (const item of Array.isArray(value) ? value : [value]) {
        pairs ??= [...query];
        pairs.push([uriEncode(wire), uriEncode(text(member, item, type, DATE_TIME))]);
      }
    } else if (place === "header") {
      headers ??= new Map();
      headers.set(wire, Array.isArray(value) ? value.map(quote).join(", ") : text(member, value, type, HTTP_DATE));
    } else if (place === "prefix") {
      headers ??= new Map();
      for (const [key, item] of Object.entries(value))
        headers.set((wire + key).toLowerCase(), text(member, item, 0, HTTP_DATE));
    } else if (place === "label") {
      if (typeof value === "string" && value !== "") found += 1;
      if (member === label) path += uriEncodePath(text(member, value, type, DATE_TIME));
    } else {
      body = value;
      isStructured ||= place === "body" || type > 64;
    }
  }
  // Without its bucket, a key such as `other/secret` would be signed for another one.
  if (found < labels.length) {
    const missing = labels.find((member) => typeof input[member] !== "string" || input[member] === "") ?? "";
    throw invalidInput(`${name}.${missing}`, "text", input[missing]);
  }
  // The algorithm is the answer to a checksum that the caller hands in; alone it would have none to belong to.
  if (headers?.has(ALGORITHM) && ![...headers.keys()].some((header) => CHECKSUM.test(header))) {
    headers.delete(ALGORITHM);
  }
  return { path, query: pairs ?? query, headers: headers ?? NONE, contentType, body, isStructured };
}

function text(member: string, value: unknown, type: number, usual: number): string {
  if (typeof value === "string") return value;
  if (!(value instanceof Date)) {
    if (typeof value === "object") throw invalidInput(member, "text, a number or a boolean", value);
    return String(value);
  }
  if (Number.isNaN(value.getTime())) throw invalidInput(member, "a valid Date", value);
  const format = type === TIMESTAMP ? usual : type;
  if (format === HTTP_DATE) return value.toUTCString();
  return format === EPOCH ? String(value.getTime() / 1000) : value.toISOString().replace(".000Z", "Z");
}

function quote(item: unknown): string {
  const value = String(item);
  return /[",]/.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : value;
}
