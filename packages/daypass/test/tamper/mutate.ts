import type { WireRequest } from "../../src/core/contracts.ts";
import type { Random } from "./seeded.ts";

/** One way of tampering with a request, by its name in the report. */
type Mutation = (request: WireRequest, random: Random, others: readonly WireRequest[]) => WireRequest;

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "flip a bit": (request, random) =>
    editTarget(request, random, (byte) => String.fromCharCode(byte ^ (1 << random.below(8)))),
  "replace a byte": (request, random) => editTarget(request, random, () => anyCharacter(random)),
  "insert a byte": (request, random) =>
    editTarget(request, random, (byte) => anyCharacter(random) + String.fromCharCode(byte)),
  "delete a byte": (request, random) => editTarget(request, random, () => ""),
  truncate: (request, random) => withTarget(request, request.target.slice(0, random.below(request.target.length))),
  "swap tokens": (request, random) => editTokens(request, (tokens) => swap(tokens, random)),
  "swap values": (request, random) => editTokens(request, (tokens) => swapValues(tokens, random)),
  "duplicate a token": (request, random) => editTokens(request, (tokens) => duplicate(tokens, random)),
  "drop a token": (request, random) =>
    editTokens(request, (tokens) => tokens.toSpliced(random.below(tokens.length), 1)),
  "add a token": (request, random) =>
    editTokens(request, (tokens) => tokens.toSpliced(random.below(tokens.length + 1), 0, random.pick(ADDED_TOKENS))),
  "change a value": (request, random) => editTokens(request, (tokens) => changeValue(tokens, random)),
  "change a name's case": (request, random) => editTokens(request, (tokens) => changeCase(tokens, random)),
  "merge or split tokens": (request, random) => withTarget(request, mergeOrSplit(request.target, random)),
  "re-encode": (request, random) => withTarget(request, reEncode(request.target, random)),
  "take from another URL": (request, random, others) => splice(request, random.pick(others), random),
  "change the path": (request, random) => changePath(request, random),
  "change the method": (request, random) => ({ ...request, method: random.pick(METHODS) }),
  "change the host": (request, random, others) => ({ ...request, authority: otherHost(request, random, others) }),
  "add a header": (request, random) => ({
    ...request,
    headers: request.headers.toSpliced(random.below(request.headers.length + 1), 0, random.pick(ADDED_HEADERS)),
  }),
  "change a header": (request, random) => changeHeader(request, random),
};

export const mutationNames: readonly string[] = Object.keys(MUTATIONS);

export interface Mutant {
  readonly request: WireRequest;
  /** The names of all changes, in their order. */
  readonly mutation: string;
}

/** A changed copy of a request: mostly one change, sometimes up to four. `others` are further valid requests. */
export function mutate(request: WireRequest, random: Random, others: readonly WireRequest[]): Mutant {
  const names: string[] = [];
  let mutant = request;
  do {
    const name = random.pick(mutationNames);
    names.push(name);
    mutant = (MUTATIONS[name] as Mutation)(mutant, random, others);
  } while (random.chance(0.15));
  return { request: mutant, mutation: names.join(", then ") };
}

/** Whether nothing has changed at all. */
export function isUnchanged(a: WireRequest, b: WireRequest): boolean {
  return (
    a.target === b.target &&
    a.method === b.method &&
    a.authority === b.authority &&
    a.headers.length === b.headers.length &&
    a.headers.every(([name, value], at) => name === b.headers[at]?.[0] && value === b.headers[at]?.[1])
  );
}

const METHODS: readonly string[] = [
  ..."GET HEAD PUT POST DELETE PATCH OPTIONS TRACE CONNECT get Put MKCOL __proto__".split(" "),
  ...["", "GET ", "GET\n", "X".repeat(40)],
];

const ADDED_TOKENS: readonly string[] = [
  "",
  ..."= x x=1 foo=bar versionId=2 acl uploadId=9 response-content-type=text%2Fhtml %00=%00".split(" "),
  ..."response-content-disposition=inline X-Amz-Expires=604800 X-Amz-Date=20260102T030405Z X-Amz-Algorithm=none".split(
    " ",
  ),
  ..."X-Amz-SignedHeaders=host x-amz-acl=public-read x-amz-copy-source=%2Fb%2Fk x-amz-security-token=t".split(" "),
  ..."X-Amz-Security-Token=t X-Amz-Content-Sha256=UNSIGNED-PAYLOAD x-amz-signature=0 X-Amz-Signature=0".split(" "),
  ..."__proto__=1 AWSAccessKeyId=AKIDEXAMPLE Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D Expires=9999999999".split(" "),
  ..."Expires= %=% dp-uses=5 dp-nonce=aaaaaaaaaaaaaaaa dp-v=1 dp-v=2 dp-vary=x dp-prefix=1 dp%2Dip=1 DP-IP=1".split(
    " ",
  ),
  ..."dp-methods=PUT utm_source=mail utm_source= fbclid=1 content-type=text%2Fplain X-Goog-Signature=0 sig=0".split(
    " ",
  ),
  ..."sv=1 a[]=1 Expires[]=1".split(" "),
];

const ADDED_HEADERS: readonly (readonly [string, string])[] = [
  ["x-amz-copy-source", "/media/secret"],
  ["X-Amz-Copy-Source", "/media/secret"],
  ["x-amz-acl", "public-read"],
  ["x-amz-meta-note", "a"],
  ["x-amz-website-redirect-location", "https://evil.example"],
  ["x-amz-content-sha256", "UNSIGNED-PAYLOAD"],
  ["x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"],
  ["x-amz-security-token", "t"],
  ["x-amz-date", "20260102T030405Z"],
  [
    "authorization",
    "AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
  ],
  ["Authorization", "Basic YTpi"],
  ["content-type", "text/html"],
  ["content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="],
  ["range", "bytes=0-0"],
  ["if-none-match", "*"],
  ["x-forwarded-host", "evil.example"],
  ["x-http-method-override", "DELETE"],
  ["x-original-url", "/media/other"],
  ["x-goog-acl", "public-read"],
  ["x-ms-version", "2020-01-01"],
  ["__proto__", "1"],
];

function withTarget(request: WireRequest, target: string): WireRequest {
  return { ...request, target };
}

function editTarget(request: WireRequest, random: Random, edit: (byte: number) => string): WireRequest {
  const { target } = request;
  const at = random.below(target.length);
  return withTarget(request, target.slice(0, at) + edit(target.charCodeAt(at) & 0xff) + target.slice(at + 1));
}

const TELLING = "/%.&=?+;:@#\\ ~*'-_[]{}|\"<>^`$,!()aAzZ059\0\t\n\r\u007f\u0080\u00e9\u00ff";

function anyCharacter(random: Random): string {
  return random.chance(0.6) ? TELLING.charAt(random.below(TELLING.length)) : String.fromCharCode(random.below(256));
}

function editTokens(request: WireRequest, edit: (tokens: readonly string[]) => readonly string[]): WireRequest {
  const mark = request.target.indexOf("?");
  if (mark < 0) return withTarget(request, `${request.target}?x=1`);
  const tokens = request.target.slice(mark + 1).split("&");
  return withTarget(request, `${request.target.slice(0, mark)}?${edit(tokens).join("&")}`);
}

function swap(tokens: readonly string[], random: Random): readonly string[] {
  const i = random.below(tokens.length);
  const j = random.below(tokens.length);
  return tokens.with(i, tokens[j] as string).with(j, tokens[i] as string);
}

function swapValues(tokens: readonly string[], random: Random): readonly string[] {
  const i = random.below(tokens.length);
  const j = random.below(tokens.length);
  const [nameI, valueI] = cut(tokens[i] as string);
  const [nameJ, valueJ] = cut(tokens[j] as string);
  return i === j ? tokens : tokens.with(i, nameI + valueJ).with(j, nameJ + valueI);
}

function cut(token: string): readonly [name: string, value: string] {
  const equals = token.indexOf("=");
  return equals < 0 ? [token, ""] : [token.slice(0, equals), token.slice(equals)];
}

function duplicate(tokens: readonly string[], random: Random): readonly string[] {
  const token = tokens[random.below(tokens.length)] as string;
  const [name, value] = cut(token);
  const copy = random.pick([token, `${name}=`, name, `${name}=1`, `${name}${value}1`, `${name.toLowerCase()}${value}`]);
  return tokens.toSpliced(random.below(tokens.length + 1), 0, copy);
}

const VALUES = [
  ...[
    "",
    "0",
    "-1",
    "1",
    "604800",
    "604801",
    "1e3",
    "Infinity",
    "NaN",
    "0x10",
    "9999999999",
    "99999999999999999999",
    "%20",
    "a%00",
  ],
  ...[
    "20260102T030405Z",
    "20991231T235959Z",
    "20260102T030465Z",
    "host%3Bx-amz-acl",
    "host",
    "HOST",
    "AWS4-HMAC-SHA1",
    "none",
  ],
  ...["GET.PUT", "PUT", "99", "*", "../..", "null", "undefined", "[object Object]", "%E0%A4%A", "%C0%AF", "\u00e9"],
] as const;

function changeValue(tokens: readonly string[], random: Random): readonly string[] {
  const i = random.below(tokens.length);
  const [name, value] = cut(tokens[i] as string);
  const changed = random.pick([
    `=${random.pick(VALUES)}`,
    `${value}0`,
    `${value.slice(0, -1)}`,
    `=0${value.slice(1)}`,
    value.toUpperCase(),
    value.toLowerCase(),
    `=${[...value.slice(1)].reverse().join("")}`,
    `${value}=`,
    `${value}%3D`,
  ]);
  return tokens.with(i, name + changed);
}

function changeCase(tokens: readonly string[], random: Random): readonly string[] {
  const i = random.below(tokens.length);
  const [name, value] = cut(tokens[i] as string);
  return tokens.with(
    i,
    random.pick([name.toLowerCase(), name.toUpperCase(), name.replace(/^[a-z]/, (c) => c.toUpperCase())]) + value,
  );
}

function mergeOrSplit(target: string, random: Random): string {
  const [from, to] = random.pick([
    ["&", "%26"],
    ["=", "%3D"],
    ["?", "%3F"],
    ["&", ";"],
    ["&", "&&"],
    ["%26", "&"],
    ["%3D", "="],
    ["%3B", ";"],
    ["?", "??"],
    ["?", "?&"],
    ["?", "%3f"],
    ["/", "%2F"],
    ["=", "=="],
  ] as const);
  return replaceOne(target, from, to, random);
}

function reEncode(target: string, random: Random): string {
  const at = random.below(target.length);
  const character = target.charAt(at);
  const percent = character.charCodeAt(0).toString(16).padStart(2, "0");
  switch (random.below(7)) {
    case 0:
      return `${target.slice(0, at)}%${percent.toUpperCase()}${target.slice(at + 1)}`;
    case 1:
      return `${target.slice(0, at)}%${percent}${target.slice(at + 1)}`;
    case 2:
      return `${target.slice(0, at)}%25${percent}${target.slice(at + 1)}`;
    case 3:
      return replaceOne(target, "%20", "+", random);
    case 4: {
      const triplet = /%[0-9A-F]{2}/.exec(target.slice(at))?.[0];
      return triplet === undefined ? target : replaceOne(target, triplet, triplet.toLowerCase(), random);
    }
    case 5: {
      const triplet = /%[2-7][0-9A-F]/.exec(target.slice(at))?.[0];
      if (triplet === undefined) return target;
      return replaceOne(target, triplet, String.fromCharCode(Number.parseInt(triplet.slice(1), 16)), random);
    }
    default:
      return replaceOne(target, "%", "%25", random);
  }
}

function replaceOne(text: string, from: string, to: string, random: Random): string {
  const places = text.split(from).length - 1;
  if (places === 0) return text;
  let at = -1;
  for (let left = 1 + random.below(places); left > 0; left--) at = text.indexOf(from, at + 1);
  return text.slice(0, at) + to + text.slice(at + from.length);
}

function splice(request: WireRequest, other: WireRequest, random: Random): WireRequest {
  const [path = "", query = ""] = halves(request.target);
  const [otherPath = "", otherQuery = ""] = halves(other.target);
  if (random.chance(0.3)) return withTarget(request, `${otherPath}?${query}`);
  if (random.chance(0.2)) return { ...other, target: `${path}?${query}` };
  const donated = otherQuery.split("&")[random.below(otherQuery.split("&").length)] as string;
  const [name] = cut(donated);
  const tokens = query.split("&");
  const same = tokens.findIndex((token) => cut(token)[0] === name);
  return withTarget(request, `${path}?${(same < 0 ? [...tokens, donated] : tokens.with(same, donated)).join("&")}`);
}

function halves(target: string): readonly [path: string, query: string] {
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}

const PATH_EDITS: readonly ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => path.slice(0, -1),
  (path) => path.slice(1),
  (path) => `${path}/../secret`,
  (path) => `/./${path.slice(1)}`,
  (path) => path.replace(/\/(?=[^/]*$)/, "//"),
  (path) => path.replace(/[^/]*$/, "secret"),
  (path) => path.replace(/^\/[^/]*/, "/other"),
  (path) => `${path};x`,
  (path) => `${path}%00`,
  (path) => `${path}%2F..%2Fsecret`,
  (path) => `${path}/%2e%2e/secret`,
  (path) => path.toUpperCase(),
  (path) => path.replaceAll("/", "\\"),
  (path) => `http://evil.example${path}`,
  (path) => `${path}\u0301`,
  () => "",
  () => "*",
  () => "/",
];

function changePath(request: WireRequest, random: Random): WireRequest {
  const mark = request.target.indexOf("?");
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  return withTarget(request, random.pick(PATH_EDITS)(path) + (mark < 0 ? "" : request.target.slice(mark)));
}

function otherHost({ authority }: WireRequest, random: Random, others: readonly WireRequest[]): string {
  return random.pick([
    authority.toUpperCase(),
    `${authority}:443`,
    `${authority}:80`,
    `${authority}.`,
    `x.${authority}`,
    authority.replace(/^[^.]*\./, ""),
    `user@${authority}`,
    `${authority},evil.example`,
    `${authority} `,
    "evil.example",
    "",
    "[::1]",
    random.pick(others).authority,
  ]);
}

function changeHeader(request: WireRequest, random: Random): WireRequest {
  const { headers } = request;
  if (headers.length === 0) return { ...request, headers: [random.pick(ADDED_HEADERS)] };
  const at = random.below(headers.length);
  const [name, value] = headers[at] as readonly [string, string];
  const change: readonly (readonly (readonly [string, string])[])[] = [
    [],
    [[name, `${value}x`]],
    [[name, ""]],
    [[name.toUpperCase(), value]],
    [[name, ` ${value}  `]],
    [[name, value.replace(/,/, " , ")]],
    [
      [name, value],
      [name, value],
    ],
    [
      [name, value.slice(0, value.length >> 1)],
      [name, value.slice(value.length >> 1)],
    ],
    [[`${name} `, value]],
    [[name, value.toUpperCase()]],
    [[name, `${value}\n`]],
  ];
  return { ...request, headers: headers.toSpliced(at, 1, ...random.pick(change)) };
}
