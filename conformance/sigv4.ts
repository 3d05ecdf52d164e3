import { createHash, createHmac } from "node:crypto";

// The second opinion: SigV4 written from AWS's page and from nothing of ours. It judges where a client and Daypass
// differ, and says what a wrong client has signed instead.

/** Percent-encodes byte by byte: `A-Za-z0-9-._~` stay, and `/` if `keep` contains it. */
export function encodeBytes(text: string, keep = ""): string {
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    const stays = /[A-Za-z0-9\-._~]/.test(character) || keep.includes(character);
    encoded += stays ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** What goes into a signature, decoded. */
export interface SigV4Input {
  readonly method: string;
  /** Decoded path. */
  readonly path: string;
  /** Decoded parameters without `X-Amz-Signature`. */
  readonly query: readonly (readonly [string, string])[];
  /** Signed headers with their names in lower case; `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  /** In place of the rule: what a client that sorts wrongly has signed. */
  readonly canonicalQuery?: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly signedAt: Date;
}

/** `YYYYMMDDTHHMMSSZ` */
export function amzDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}

export function sigV4(input: SigV4Input): string {
  const time = amzDate(input.signedAt);
  const date = time.slice(0, 8);
  const query = input.canonicalQuery ?? canonicalQuery(input.query);
  const names = Object.keys(input.headers).sort(order);
  const headers = names.map((name) => `${name}:${input.headers[name]?.trim().replace(/[ \t]+/g, " ")}\n`).join("");
  const canonical = [input.method, encodeBytes(input.path, "/"), query, headers, names.join(";"), input.payload].join(
    "\n",
  );
  const hash = createHash("sha256").update(canonical).digest("hex");
  let key: Buffer = Buffer.from(`AWS4${input.secretAccessKey}`);
  for (const step of [date, input.region, "s3", "aws4_request"]) key = hmac(key, step);
  return hmac(key, `AWS4-HMAC-SHA256\n${time}\n${date}/${input.region}/s3/aws4_request\n${hash}`).toString("hex");
}

/** Parameters encoded, then sorted by name and value. */
export function canonicalQuery(query: SigV4Input["query"]): string {
  return query
    .map(([name, value]): readonly [string, string] => [encodeBytes(name), encodeBytes(value)])
    .sort(([a, x], [b, y]) => order(a, b) || order(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
