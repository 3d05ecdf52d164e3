import type { WireRequest } from "../core/contracts.ts";
import { headerValues } from "../wire/raw-target.ts";
import { decodeOr } from "./decoded.ts";
import type { ServerError } from "./error-body.ts";
import type { Known, SplitUrl } from "./explainer.ts";
import type { GivenRequest } from "./given-request.ts";
import { nameOf, readParameters } from "./parameters.ts";

interface Seen {
  readonly method: string;
  readonly headers: WireRequest["headers"];
}

interface Stated {
  readonly request: GivenRequest | undefined;
  readonly error: ServerError | undefined;
  /** The URL that was sent. */
  readonly sentUrl: SplitUrl;
}

/** The method and headers of a request, without `Host`, and which of them are known. */
export function sentParts({ request, error, sentUrl }: Stated): {
  readonly method: string;
  readonly headers: WireRequest["headers"];
  readonly known: Known;
} {
  const seen = serverRequest(error, sentUrl);
  const stated = Object.entries(request?.headers ?? {}).filter(([name]) => name.toLowerCase() !== "host");
  const isStated = request?.headers !== undefined && (stated.length > 0 || Object.keys(request.headers).length === 0);
  const names = new Set(stated.map(([name]) => name.toLowerCase()));
  const method = request?.method?.toUpperCase() ?? seen?.method;
  return {
    method: method ?? "GET",
    // Headers that only the server saw were added in transit.
    headers: [...stated, ...(seen?.headers.filter(([name]) => !names.has(name)) ?? [])],
    known: { method: method !== undefined, headers: isStated || seen !== undefined },
  };
}

const METHOD = /^(?:GET|HEAD|PUT|POST|DELETE|OPTIONS|PATCH)$/i;

/** The request in the server's answer. `undefined` if the answer shows none. */
export function serverRequest(error: ServerError | undefined, sentUrl?: SplitUrl): Seen | undefined {
  const fields = error?.fields;
  const canonical = fields?.get("CanonicalRequest")?.split("\n");
  if (canonical !== undefined) return readSeen(canonical[0], headerLines(canonical.slice(3)));
  // COS shows the text that it hashes.
  const format = fields?.get("FormatString")?.split("\n");
  if (format !== undefined) return readSeen(format[0], pairs(format[3] ?? ""));
  // The legacy versions: method, Content-MD5, Content-Type, date, headers, resource.
  const text = fields?.get("StringToSign")?.split("\n");
  if (text === undefined) return undefined;
  const [method, md5 = "", type = "", , ...rest] = text;
  // S3's V2 signs these parameters as headers.
  const hoisted = new Set(
    (sentUrl === undefined ? [] : readParameters(sentUrl)).flatMap(([name]) =>
      /^x-amz-/i.test(name) ? name.toLowerCase() : [],
    ),
  );
  const headers = headerLines(rest).filter(([name]) => !hoisted.has(name));
  return readSeen(method, [["content-md5", md5], ["content-type", type], ...headers]);
}

function readSeen(method: string | undefined, headers: Seen["headers"]): Seen | undefined {
  if (method === undefined || !METHOD.test(method)) return undefined;
  return { method: method.toUpperCase(), headers: headers.filter(([name, value]) => name !== "host" && value !== "") };
}

/** The leading lines of the form `name:value`. */
function headerLines(lines: readonly string[]): Seen["headers"] {
  const end = lines.findIndex((line) => !/^[a-z0-9-]+:/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
}

function pairs(text: string): Seen["headers"] {
  return text
    .split("&")
    .filter((pair) => pair.includes("="))
    .map((pair) => [nameOf(pair), decodeOr(pair.slice(pair.indexOf("=") + 1), decodeURIComponent)]);
}

/** The hosts in the headers of proxies. */
export function forwardedHosts({ headers }: Pick<WireRequest, "headers">): readonly string[] {
  return ["x-forwarded-host", "x-original-host"].flatMap((name) =>
    headerValues(headers, name).flatMap((value) => value.split(",").map((host) => host.trim())),
  );
}
