import type { Grant, WireRequest } from "../../../src/core/contracts.ts";
import { EXAMPLE_ORIGINS } from "../../../src/core/example.ts";
import type { Weakness } from "../../../src/core/weakness.ts";
import type { EdgeGrant } from "../../../src/edge/verify.ts";
import { decodeBytes, type Judge, type Judging } from "./judge.ts";

/** What the tokens of a scheme cover, from its specification. */
export interface Coverage {
  /** `"open"`: a token is for the same resource at each origin. */
  readonly host: "bound" | "open";
  /** `"raw"`: every byte. `"decoded"`: by its characters. */
  readonly path: "raw" | "decoded";
  /** `"ordered"`: every byte of the tokens, in their order. `"sorted"`: decoded, in any. */
  readonly query: "ordered" | "sorted";
  /** Parameters that may stand anywhere. */
  readonly anywhere?: readonly string[];
}

/** Methods that read are granted together. No edge token covers other headers. */
const method = (request: WireRequest): string => (/^(?:GET|HEAD)$/.test(request.method) ? "read" : request.method);

function host({ authority }: WireRequest, open: boolean): string {
  const plain = authority.toLowerCase().replace(/:443$/, "");
  return open && EXAMPLE_ORIGINS.includes(`https://${plain}`) ? "any" : plain;
}

function judge({ host: hosts, path, query, anywhere = [] }: Coverage): Judge {
  return (request) => {
    const mark = request.target.indexOf("?");
    const rawPath = mark < 0 ? request.target : request.target.slice(0, mark);
    const tokens =
      mark < 0
        ? []
        : request.target
            .slice(mark + 1)
            .split("&")
            .filter((token) => token !== "");
    const isAnywhere = (token: string): boolean => anywhere.includes(token.split("=", 1)[0] as string);
    const rest = tokens.filter((token) => !isAnywhere(token));
    return JSON.stringify([
      method(request),
      host(request, hosts === "open"),
      path === "raw" ? rawPath : decodeBytes(rawPath),
      query === "ordered" ? rest : rest.map((token) => decodeBytes(token.replaceAll("+", " "))).sort(),
      tokens.filter(isAnywhere).sort(),
      request.headers.filter(([name]) => name.toLowerCase() === "cookie"),
    ]);
  };
}

/** The members of a grant that stay the same if the holder changes an uncovered part. */
function edgeFacts(host: Coverage["host"]): (grant: Grant) => unknown {
  return (grant) => {
    const { limitBody: _, origin, path, target, ...rest } = grant as EdgeGrant<Weakness>;
    return host === "open"
      ? rest
      : { ...rest, origin, path: decodeBytes(path), target: decodeBytes(target).split(/[?&]/).sort() };
  };
}

/** The holder chooses the path below a prefix. This judge reads a plain path below it as the same request. */
function belowPrefix(prefix: string, inner: Judge, tokenOf: (request: WireRequest) => string): Judge {
  return (request) => {
    const path = request.target.replace(/\?.*$/s, "");
    const isPlain =
      /^(?:\/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)+\/?$/.test(path) &&
      !/\/\.{1,2}(?:[/;]|$)|%(?![0-9a-f]{2})|%(?:2[ef5]|5c|[01]|7f)/i.test(path);
    const rest = request.target.slice(path.length);
    const isOpen = rest.split(/[?&]/).every((token) => token === "" || OWN.test(token));
    if (!isPlain || !isOpen || !path.startsWith(prefix)) return inner(request);
    return JSON.stringify([method(request), host(request, false), prefix, tokenOf(request)]);
  };
}

const OWN = /^(?:edge-cache-token|URLPrefix|Expires|KeyName|Signature|__token__|token|expires|token_path)=/;

const sortedQuery = ({ target }: WireRequest): string => {
  const mark = target.indexOf("?");
  return mark < 0
    ? ""
    : target
        .slice(mark + 1)
        .split("&")
        .filter((token) => token !== "")
        .sort()
        .join("&");
};

const exactly: Coverage = { host: "bound", path: "raw", query: "ordered" };

function edge(coverage: Partial<Coverage>): Judging {
  const whole = { ...exactly, ...coverage };
  return { judge: judge(whole), facts: edgeFacts(whole.host) };
}

/** A token for everything below `/talks/`. With `open` it is for every origin. */
function prefixed({ open = false } = {}): Judging {
  const hosted = belowPrefix("/talks/", judge({ ...exactly, query: "sorted" }), sortedQuery);
  return {
    judge: open ? (request) => hosted({ ...request, authority: host(request, true) }) : hosted,
    facts: edgeFacts("open"),
  };
}

const cookie: Judging = {
  judge: belowPrefix("/talks/", judge(exactly), (request) =>
    JSON.stringify([
      sortedQuery(request),
      request.headers.filter(([name]) => name.toLowerCase() === "cookie").map(([, value]) => value.trim()),
    ]),
  ),
  facts: edgeFacts("open"),
};

/** The judge of targets that are spelled in one way. */
function spelt({ judge, facts }: Judging, spell: (target: string) => string): Judging {
  return { judge: (request) => judge({ ...request, target: spell(request.target) }), facts };
}

const nginx = edge({ host: "open", path: "decoded", query: "sorted" });

/** For a scheme without another judge: a signature covers host, path and query, byte for byte. */
export const strict: Judging = edge({});

export const edgeJudges: Readonly<Record<string, Judging>> = {
  nginx,
  // nginx reads `$arg_w` in any case.
  "nginx, expression": spelt(nginx, (target) => target.replace(/[?&][^=&]*/g, (name) => name.toLowerCase())),
  // The parameters of a token in the path are a query like any other.
  bunny: spelt(edge({ host: "open", path: "decoded", query: "sorted" }), (target) =>
    target.replace(/^\/bcdn_token=([^/?]+)(\/[^?]*)\??/, "$2?in_path&token=$1&"),
  ),
  "bunny, prefix": spelt(prefixed({ open: true }), (target) =>
    target.replace(/token_path=[^&]*/, (token) => encodeURI(decodeBytes(token))),
  ),
  cloudflare: edge({ host: "open" }),
  fastly: edge({ host: "open", query: "sorted" }),
  imgix: edge({ host: "open", anywhere: ["s"] }),
  imgproxy: edge({ host: "open" }),
  laravel: edge({ anywhere: ["signature"] }),
  "laravel, relative": edge({ host: "open", anywhere: ["signature"] }),
  symfony: edge({ anywhere: ["_hash"] }),
  "cloud-cdn, prefix": prefixed(),
  "cloud-cdn, cookie": cookie,
  "media-cdn, prefix": prefixed(),
  "media-cdn, cookie": cookie,
  "media-cdn/token": edge({ host: "open", path: "decoded" }),
  "media-cdn/token, prefix": prefixed(),
  "media-cdn/token, globs": prefixed({ open: true }),
  akamai: edge({ host: "open", path: "decoded" }),
  "akamai, prefix": prefixed({ open: true }),
  "akamai, acl": prefixed({ open: true }),
  "uri-signing": {
    judge: (request) => JSON.stringify([method(request), host(request, false), ...withoutToken(request)]),
    facts: edgeFacts("bound"),
  },
};

/** RFC 9246 section 2.1.15 by hand: the normalised target without its token, and the token. */
function withoutToken({ target, headers }: WireRequest): readonly unknown[] {
  const cookies = headers.filter(
    ([name, value]) => name.toLowerCase() === "cookie" && value.includes("URISigningPackage"),
  );
  const [all = "", before = "", token = "", after = ""] =
    /^(.*?)[:/?#[\]@!$&'()*+,;=]URISigningPackage=([A-Za-z0-9\-._~]*)(.*)$/s.exec(target) ?? [];
  if (all === "") return [target, cookies];
  const separator = target[before.length] as string;
  const rest = /^[!$&'()*+,;=]/.test(after) ? before + separator + after.slice(1) : before + after;
  const mark = rest.indexOf("?");
  const [path, query] = mark < 0 ? [rest, ""] : [rest.slice(0, mark), rest.slice(mark)];
  const escapes = (text: string): string =>
    text.replace(/%([0-9A-Fa-f]{2})/g, (triplet, digits: string) => {
      const character = String.fromCharCode(Number.parseInt(digits, 16));
      return /[A-Za-z0-9\-._~]/.test(character) ? character : triplet.toUpperCase();
    });
  const segments: string[] = [];
  const parts = escapes(path).split("/").slice(1);
  for (const [i, part] of parts.entries()) {
    if (part === "..") segments.pop();
    if (part !== ".." && part !== ".") segments.push(part);
    else if (i === parts.length - 1) segments.push("");
  }
  return [`/${segments.join("/")}`, escapes(query), token, after.includes("URISigningPackage=")];
}
