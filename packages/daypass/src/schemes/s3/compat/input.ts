import { invalidInput } from "../../../core/errors.ts";
import type { EncodedPair } from "../../../core/v4.ts";
import { base64, fromBase64, uriEncode, uriEncodePath, utf8 } from "../../../wire/encoding.ts";
import { type SignedHeader, UNSIGNED_PAYLOAD } from "../canonical.ts";
import {
  type AwsPresigningOptions,
  type CommandInput,
  DATE_TIME,
  EPOCH,
  HTTP_DATE,
  type Operation,
  type SdkConfig,
  TIMESTAMP,
} from "./operation.ts";

/** A command's input, taken apart. */
export interface BoundInput {
  /** Encoded path below the endpoint's path. */
  readonly path: string;
  readonly query: readonly EncodedPair[];
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The Content-Type, if the headers have none. */
  readonly contentType: string | undefined;
  /** The body, or what is written into it as XML. */
  readonly body: unknown;
  readonly isStructured: boolean;
}

const NONE: ReadonlyMap<string, string> = new Map();
const ALGORITHM = "x-amz-sdk-checksum-algorithm";
const CHECKSUM = /^x-amz-checksum-(?!mode$|type$)/;

/** Puts each member into the place of its binding. Throws `INVALID_INPUT`. */
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

const KEYS = ["SSECustomerKey", "CopySourceSSECustomerKey"] as const;

/** Whether an input is sent unchanged, as nearly all are. */
export function isComplete({ name }: Operation, input: CommandInput): boolean {
  // By name: a list of names costs as much as a tenth of a hash.
  return name !== "CreateBucket" && !input["SSECustomerKey"] && !input["CopySourceSSECustomerKey"];
}

/**
 * What the SDK adds to an input. SSE-C: a key is sent in base64 together with its MD5; 32 bytes in base64 are read as such a key,
 * any other text as the key itself. A bucket is created in the client's region by default.
 */
export async function completeInput(
  { name }: Operation,
  input: CommandInput,
  { md5, region }: { readonly md5: SdkConfig["md5"] | undefined; readonly region: unknown },
): Promise<CommandInput> {
  const completed: Record<string, unknown> = { ...input };
  for (const member of KEYS) {
    const value = completed[member];
    if (!value) continue;
    const key = keyBytes(value);
    if (key === undefined || md5 === undefined)
      throw invalidInput(member, "text or bytes, and the client's md5", typeof value);
    const digest = new md5();
    digest.update(key);
    completed[member] = base64(key);
    completed[`${member}MD5`] = base64(await digest.digest());
  }
  if (name === "CreateBucket") {
    const told = (completed["CreateBucketConfiguration"] ?? {}) as Readonly<Record<string, unknown>>;
    if (region !== "us-east-1" && !told["LocationConstraint"] && !told["Location"]) {
      completed["CreateBucketConfiguration"] = { ...told, LocationConstraint: region };
    }
  }
  return completed;
}

function keyBytes(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") {
    const decoded = fromBase64(value);
    return decoded?.length === 32 ? decoded : utf8(value);
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

/**
 * The length of the body becomes a signed header if it is known, as in the SDK: of text and bytes at once, of what is sent
 * as XML by the SDK's own writer, the only code of the SDK that runs here.
 */
export async function bindBodyLength(
  bound: BoundInput,
  { schema }: Operation,
  input: object,
  config: SdkConfig,
): Promise<BoundInput> {
  const { body, headers, isStructured } = bound;
  if (headers.has("content-length")) return bound;
  const length = bodyLength(isStructured ? await xmlBody(schema, input, config) : body);
  if (length === undefined) return bound;
  return { ...bound, headers: new Map([...headers, ["content-length", String(length)]]) };
}

async function xmlBody(
  [, namespace, name, traits, inputSchema, output]: Operation["schema"],
  input: object,
  config: SdkConfig,
): Promise<unknown> {
  const { protocol } = config;
  if (protocol === undefined)
    throw invalidInput("client", "one whose protocol can write the body of this command", "another");
  const endpoint = async () => ({ protocol: "https:", hostname: "localhost", path: "/" });
  const operation = { namespace, name, traits, input: inputSchema, output };
  const { body } = await protocol.serializeRequest(operation, input, { ...config, endpoint });
  return body;
}

function bodyLength(body: unknown): number | undefined {
  if (typeof body === "string") return body === "" ? undefined : utf8(body).length;
  for (const name of ["byteLength", "size"]) {
    const length: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
    if (typeof length === "number") return length;
  }
  return undefined;
}

/** Headers of a request, signed and unsigned. */
export interface SortedHeaders {
  /** Those that are signed as headers beside `host`. */
  readonly signed: readonly SignedHeader[];
  /** Encoded parameters of the URL: the command's own, and the headers that became parameters. */
  readonly query: readonly EncodedPair[];
  /** Whether the payload line is a parameter of the URL: by default, unless it has to stay a header. */
  readonly hoistsPayload: boolean;
}

// Smithy's list: what proxies and clients change on the way.
const NEVER_SIGNED =
  /^(?:authorization|cache-control|connection|content-type|expect|from|keep-alive|max-forwards|pragma|referer|te|trailer|transfer-encoding|upgrade|user-agent|x-amzn-trace-id|(?:proxy|sec)-.*)$/;
const ENCRYPTION = "x-amz-server-side-encryption";
const PAYLOAD_HEADER = "x-amz-content-sha256";
const NO_HEADERS: readonly SignedHeader[] = [];

/**
 * The presigner's rules: an `x-amz-*` header becomes a parameter of the URL unless it is to stay, headers of server-side
 * encryption stay unless they are not to, and the signer signs the other headers that no proxy changes.
 */
export function sortHeaders(
  { headers, query, contentType }: BoundInput,
  { unsignableHeaders, signableHeaders, unhoistableHeaders, hoistableHeaders }: AwsPresigningOptions,
): SortedHeaders {
  const hoistsPayload = unhoistableHeaders?.has(PAYLOAD_HEADER) !== true;
  const signsType =
    contentType !== undefined && signableHeaders?.has("content-type") === true && !headers.has("content-type");
  if (headers.size === 0 && hoistsPayload && !signsType) return { signed: NO_HEADERS, query, hoistsPayload };
  const signed: SignedHeader[] = [];
  let pairs: EncodedPair[] | undefined;
  const sort = (value: string, name: string): void => {
    const stays = unhoistableHeaders?.has(name) || (name.startsWith(ENCRYPTION) && !hoistableHeaders?.has(name));
    if (name.startsWith("x-amz-") && !stays) {
      pairs ??= [...query];
      pairs.push([uriEncode(name), uriEncode(value)]);
    } else if (signableHeaders?.has(name) || !(NEVER_SIGNED.test(name) || unsignableHeaders?.has(name))) {
      signed.push({ name, values: [value] });
    }
  };
  headers.forEach(sort);
  if (signsType) sort(contentType, "content-type");
  if (!hoistsPayload) sort(UNSIGNED_PAYLOAD, PAYLOAD_HEADER);
  return { signed, query: pairs ?? query, hoistsPayload };
}
