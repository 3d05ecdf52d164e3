import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { parseBasicTime, parseEpoch } from "../../core/time.ts";
import { signatureBytesUrl } from "../../wire/encoding.ts";
import { type Network, parseCidr } from "../../wire/ip.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import type { SwiftDigest } from "./key.ts";

/** What a TempURL signs. */
export interface SwiftParts {
  /** The value of `temp_url_ip_range`. */
  readonly ipRange: string | undefined;
  /** Whole seconds since 1970, also if the URL has the time as ISO 8601. */
  readonly expires: number;
  readonly account: string;
  readonly container: string;
  /** The object's name, decoded; unused if there is a prefix. */
  readonly object: string;
  readonly prefix: string | undefined;
}

/**
 * Range, method, expiry and path, a line each: the text of the HMAC. The range stands first "due to newlines being
 * valid in paths", and the path is decoded and begins at the version: a prefix before it in the URL is left out.
 */
export function swiftMessage(
  method: string,
  { ipRange, expires, account, container, object, prefix }: SwiftParts,
): string {
  const range = ipRange === undefined ? "" : `ip=${ipRange}\n`;
  const path = `/v1/${account}/${container}/${prefix ?? object}`;
  return `${range}${method}\n${expires}\n${prefix === undefined ? path : `prefix:${path}`}`;
}

/** The method of a message. */
export function signedMethod(message: string): string {
  return /^(?:ip=.*\n)?([A-Z]+)\n/.exec(message)?.[1] ?? "";
}

/** "HEAD is allowed if GET, PUT, or POST is allowed." */
export function signedMethodsFor(method: string): readonly string[] {
  return method === "HEAD" ? ["HEAD", "GET", "POST", "PUT"] : [method];
}

/** A request with a TempURL, read strictly. Nothing in it has been verified. */
export interface ParsedSwift extends SwiftParts {
  readonly expiresAt: Date;
  readonly digest: SwiftDigest;
  /** In the spelling that the signer gives it. */
  readonly signature: string;
  readonly network: Network | undefined;
  /** `filename` and `inline`, if the verifier's options accept them. */
  readonly unsigned: readonly Parameter[];
}

const MARKER = /[?&]temp_url_(?:sig|expires)=/;

/** Returns, by parameter names, whether a request has a TempURL. */
export function detectSwift(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

/** Reads a TempURL. Throws `MALFORMED`, `UNSIGNED_PARAMETER`, `UNSIGNED_HEADER` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseSwift(
  { request, wire }: ReceivedRequest,
  basePath: string,
  allowUnsigned: ReadonlySet<string>,
): ParsedSwift {
  const { own, others } = sortParameters(
    wire,
    ["temp_url_sig", "temp_url_expires"],
    ["temp_url_ip_range", "temp_url_prefix"],
  );
  // The method follows an optional line of the signed text: `ip=10.0.0.0/8\nGET` would be a method for any client.
  if (!/^[A-Z]+$/.test(request.method)) throw malformed("method", "case", "upper case");
  checkHeaders(request);
  checkOnce(others);
  const unknown = others.find(([name]) => !allowUnsigned.has(name))?.[0];
  if (unknown !== undefined) {
    throw refusal(
      "UNSIGNED_PARAMETER",
      `the parameter ${JSON.stringify(unknown)} is not signed. If it may vary, list it in allowUnsigned`,
      {
        parameter: unknown,
      },
    );
  }
  const { temp_url_expires: end, temp_url_ip_range: ipRange, temp_url_prefix: prefix } = own;
  const expiresAt = parseEpoch(end) ?? parseIsoTime(end);
  if (expiresAt === undefined)
    throw malformed("temp_url_expires", "form", "seconds since 1970 or YYYY-MM-DDThh:mm:ssZ");
  const network = ipRange === undefined ? undefined : parseCidr(ipRange);
  if (ipRange !== undefined && network === undefined) throw malformed("temp_url_ip_range", "form", "a CIDR network");
  const path = wire.path.startsWith(basePath) ? percentDecode(wire.path.slice(basePath.length)) : "";
  const [, account, container, object] = /^\/v1\/([^/]+)\/([^/]+)\/(.+)$/s.exec(path) ?? [];
  if (account === undefined || container === undefined || object === undefined) {
    throw malformed("path", "form", `${basePath}/v1/<account>/<container>/<object>`);
  }
  return {
    ...readSignature(own.temp_url_sig),
    account,
    container,
    object,
    prefix,
    ipRange,
    network,
    expires: expiresAt.getTime() / 1000,
    expiresAt,
    unsigned: others,
  };
}

function parseIsoTime(text: string): Date | undefined {
  return /^\d{4}(?:-\d\d){2}T\d\d(?::\d\d){2}Z$/.test(text) ? parseBasicTime(text.replace(/[-:]/g, "")) : undefined;
}

const HEX: ReadonlyMap<number, SwiftDigest> = new Map([
  [40, "sha1"],
  [64, "sha256"],
]);

/**
 * Swift writes SHA-1 and SHA-256 in lower-case hexadecimal and SHA-512 as `sha512:` and base64, of which its own page pads
 * and its own client does not. Of these, and of no other spelling, the client's is returned.
 */
function readSignature(text: string): { readonly digest: SwiftDigest; readonly signature: string } {
  const digest = /^[0-9a-f]+$/.test(text) ? HEX.get(text.length) : undefined;
  if (digest !== undefined) return { digest, signature: text };
  // The length first: a much longer text would overflow the stack of the decoder.
  const value = /^sha512:([\w-]{86})(?:==)?$/.exec(text)?.[1] ?? "";
  if (signatureBytesUrl(value, 64) === undefined) {
    throw malformed("temp_url_sig", "form", "lower-case hexadecimal, or sha512: and base64 for URLs");
  }
  return { digest: "sha512", signature: `sha512:${value}` };
}

// What Swift itself refuses or removes (tempurl.py): an upload must not create a pointer to other data (CVE-2015-5223).
const POINTER = /^x-(?:object-manifest|symlink-target.*|copy-from.*|timestamp|open-expired|backend-.*)$/;

function checkHeaders({ headers }: WireRequest): void {
  for (const [field] of headers) {
    const name = field.toLowerCase();
    if (POINTER.test(name)) {
      throw refusal("UNSIGNED_HEADER", `the header ${name} would act on data that was not granted. Leave it out`, {
        headers: [name],
      });
    }
    if (name === "authorization" || name === "x-auth-token") {
      throw refusal("AMBIGUOUS_AUTHENTICATION", `the request has ${name} beside a TempURL. Send one of them`);
    }
  }
}
