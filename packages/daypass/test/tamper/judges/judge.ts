import type { Grant, WireRequest } from "../../../src/core/contracts.ts";

// The judges say what a signature of each scheme covers, from its specification. They share no code with the library:
// they decode to bytes by hand, where the library decodes to text.

/** What the signature covers, as one text: two requests with the same one are the same request in two spellings. */
export type Judge = (request: WireRequest) => string;

/** The judge of one scheme. */
export interface Judging {
  readonly judge: Judge;
  /** The members of a grant that two spellings of one request have in common. */
  readonly facts: (grant: Grant) => unknown;
  /** The requests that a holder sends with a signed one, if it is not sent as it is. */
  readonly sent?: (request: WireRequest) => readonly WireRequest[];
}

type Pair = readonly [name: string, value: string];

/** `%XX` to bytes, as a string of bytes; what is no escape stays as it is. */
export function decodeBytes(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function decodeFormBytes(text: string): string {
  return decodeBytes(text.replaceAll("+", " "));
}

export function halves(target: string): readonly [path: string, query: string] {
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}

export function pairs(query: string): readonly Pair[] {
  return query
    .split("&")
    .filter((token) => token !== "")
    .map((token): Pair => {
      const equals = token.indexOf("=");
      return equals < 0
        ? [decodeFormBytes(token), ""]
        : [decodeFormBytes(token.slice(0, equals)), decodeFormBytes(token.slice(equals + 1))];
    });
}

export function sorted(list: readonly Pair[]): readonly string[] {
  return list.map((pair) => JSON.stringify(pair)).sort();
}

export function values(request: WireRequest, name: string): readonly string[] {
  return request.headers.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : []));
}

/** Blanks and tabs inside and around a header value say nothing. */
export function collapsed(text: string): string {
  return text.replace(/[ \t]+/g, " ").trim();
}

/** Host names have no case, and a default port says nothing. */
export function host(authority: string, port: string): string {
  const lower = authority.toLowerCase();
  return lower.endsWith(`:${port}`) ? lower.slice(0, -port.length - 1) : lower;
}

// Not signed by the clients and proxies that add them, and no operation reads them.
const HARMLESS = ["x-amz-content-sha256", "x-amz-cf-id"];

/** SigV4: method, host, decoded path, sorted decoded query and signed headers; and no `x-amz-*` header beside them. */
export const judgeS3: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query);
  const names = list.find(([name]) => name === "X-Amz-SignedHeaders")?.[1].split(";") ?? [];
  const signed = names
    .filter((name) => name !== "host")
    .map((name) => `${name}:${values(request, name).map(collapsed).join(",")}`);
  const unsigned = request.headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => name.startsWith("x-amz-") && !names.includes(name) && !HARMLESS.includes(name));
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    decodeBytes(path),
    sorted(list),
    signed,
    unsigned.sort(),
    values(request, "authorization"),
  ]);
};

/** Hosts that the verifiers of the suites serve, with the bucket in front. */
const V2_HOST = /^(?:([a-z0-9.-]+)\.)?(?:s3|media|other)\.example\.com$/;

/**
 * SigV2: method, bucket and un-decoded path (whichever of host and path names the bucket), Content-MD5, Content-Type, the
 * decoded query and `x-amz-*`. It leaves open: the host and the scheme, every other header, whether an `x-amz-*` is sent as
 * header or as parameter, a copy of Content-Type or Content-MD5 in the query, and the slash after a bucket.
 */
export const judgeS3V2: Judge = (request) => {
  const [path, query] = halves(request.target);
  const bucket = V2_HOST.exec(host(request.authority, "443"))?.[1];
  const type = values(request, "content-type").map(collapsed).join(",");
  const md5 = values(request, "content-md5").map(collapsed).join(",");
  const list = pairs(query).filter(
    ([name, value]) => !((name === "content-type" && value === type) || (name === "content-md5" && value === md5)),
  );
  const amz = new Map<string, string[]>();
  for (const [field, value] of request.headers) {
    const name = field.toLowerCase();
    if (name.startsWith("x-amz-") && name !== "x-amz-cf-id")
      amz.set(name, [...(amz.get(name) ?? []), collapsed(value)]);
  }
  for (const [name, value] of list) {
    if (name.startsWith("x-amz-")) amz.set(name, [...(amz.get(name) ?? []), collapsed(value)]);
  }
  return JSON.stringify([
    request.method,
    // A call on the bucket is the same with and without a slash at its end.
    (bucket === undefined ? path : `/${bucket}${path}`).replace(/^\/[^/]+$/, "$&/"),
    md5,
    type,
    sorted(list.filter(([name]) => !name.startsWith("x-amz-"))),
    [...amz].map(([name, all]) => `${name}:${all.join(",")}`).sort(),
    values(request, "authorization"),
  ]);
};

/**
 * Daypass URL: every byte, in the order of the wire. Open are only: where the `dp-*` tokens stand among the others (a proxy
 * may sort), tokens that `dp-vary` names, HEAD where GET is granted, and what follows the fixed segments of a prefix.
 */
export const judgeUrl: Judge = (request) => {
  const [path, query] = halves(request.target);
  const tokens = query.split("&");
  const isOurs = (token: string): boolean => token.startsWith("dp-");
  const ours = tokens.filter(isOurs);
  const value = (name: string): string =>
    ours.find((token) => token.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const vary = value("dp-vary").split(".");
  const others = tokens.filter((token) => !isOurs(token) && !vary.includes(token.split("=", 1)[0] as string));
  const fixed = value("dp-prefix") === "" ? undefined : Number(value("dp-prefix"));
  const methods = value("dp-methods").split(".");
  const granted = methods.includes(request.method) || (request.method === "HEAD" && methods.includes("GET"));
  const headers = value("dp-headers")
    .split(".")
    .filter((name) => name !== "")
    .map(
      (name) =>
        `${name}:${values(request, name)
          .map((text) => text.trim())
          .join("\n")}`,
    );
  const type =
    value("dp-type") === ""
      ? ""
      : values(request, "content-type")
          .map((text) => text.trim())
          .join("\n");
  return JSON.stringify([
    granted,
    host(request.authority, "443"),
    fixed === undefined
      ? path
      : `${path
          .split("/")
          .slice(0, fixed + 1)
          .join("/")}/`,
    others.filter((token) => token !== ""),
    tokens.filter((token) => token === "").length - (query === "" ? 1 : 0),
    ours,
    headers,
    type,
  ]);
};
