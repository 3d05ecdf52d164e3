import type { PreparedHmac } from "#crypto";
import { unsupportedConstraint } from "../constraints.ts";
import { invalidInput } from "../errors.ts";
import type { Parameter } from "../parameters.ts";
import type { SignedRequest } from "../scheme.ts";
import { SignedResult } from "../signed-request.ts";
import { type LifetimeLimits, signingWindow } from "../time.ts";
import { azureStringToSign } from "./canonical.ts";
import { azureSignature } from "./credentials.ts";
import { checkSas, neededVersion } from "./fields.ts";
import { ipRangeText } from "./ip-range.ts";
import type { SasKind } from "./layouts.ts";
import { isAccountName } from "./location.ts";
import { permittedMethods } from "./permissions.ts";
import { type AzureSasRequest, azureEncode } from "./request.ts";
import { formatAzureTime } from "./time.ts";

/** Options that every signer has. */
export interface AzureAccountOptions {
  readonly account: string;
  /** `https://account.blob.core.windows.net` by default; Azurite's ends in the account's name. */
  readonly endpoint?: string | undefined;
  /**
   * The `sv` to sign with. By default 2022-11-02, which every server and emulator of the last years reads, or as much more as
   * the request needs.
   */
  readonly version?: string | undefined;
}

/** Scheme, host and path of an account's Blob service, without a slash at its end. Throws `INVALID_INPUT`. */
export function azureEndpoint({ account, endpoint }: AzureAccountOptions): string {
  if (!isAccountName(account)) throw invalidInput("account", "up to 24 lower-case letters and digits", account);
  const text = endpoint ?? `https://${account}.blob.core.windows.net`;
  if (/^https?:\/\/[^/?#\\\s@]+(?:\/[^/?#\\\s]+)*\/?$/.test(text)) return text.replace(/\/$/, "");
  throw invalidInput("endpoint", "scheme://host[:port][/path]", text);
}

/** Azure sets no maximum for account keys. A century catches milliseconds that were given as seconds. */
export const CENTURY: number = 100 * 365 * 86_400;

/** When a SAS is valid and from where: sets `st`, `se` and `sip`. An open one ends when its stored policy says. */
export function setWindow(
  values: Map<string, string>,
  { notBefore, bind, ...lifetime }: AzureSasRequest,
  limits: LifetimeLimits & { readonly now: Date; readonly isOpen?: boolean },
): { readonly expiresAt: Date | undefined; readonly warnings: readonly string[] } {
  const window = limits.isOpen === true ? undefined : signingWindow(lifetime, limits.now, limits);
  if (window !== undefined) values.set("se", formatAzureTime(window.expiresAt));
  if (notBefore !== undefined) {
    if (!(notBefore.getTime() < (window?.expiresAt.getTime() ?? Number.POSITIVE_INFINITY))) {
      throw invalidInput("notBefore", "a valid Date before the end", String(notBefore));
    }
    values.set("st", formatAzureTime(notBefore));
  }
  if (bind?.ip !== undefined) {
    const range = typeof bind.ip === "string" ? ipRangeText(bind.ip) : undefined;
    if (range === undefined) throw unsupportedConstraint("Azure", "bind.ip", "give one IPv4 address, a-b or a/n");
    values.set("sip", range);
  }
  return { expiresAt: window?.expiresAt, warnings: window?.warnings ?? [] };
}

/** What a kind of SAS adds to what all have in common. */
export interface SasParts {
  readonly kind: SasKind;
  readonly endpoint: string;
  readonly key: PreparedHmac;
  readonly version: string | undefined;
  /** Path below the endpoint, decoded: container and blob. */
  readonly path: readonly (string | undefined)[];
  /** Fields of the string to sign, and parameters that are only in the URL. */
  readonly values: Map<string, string>;
  /** Parameters in front: snapshot or version, and those that `srq` names. */
  readonly query: readonly Parameter[];
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: Date;
  readonly bound: readonly string[];
  readonly warnings: readonly string[];
}

const DEFAULT_VERSION = "2022-11-02";
// The order in which @azure/storage-blob writes them.
const ORDER: readonly string[] =
  /* @__PURE__ */ "sv ss srt spr st se sip si ses skoid sktid skt ske sks skv sr sp rscc rscd rsce rscl rsct saoid suoid scid sdd sduoid skdutid srh srq".split(
    " ",
  );

/** Signs a SAS and puts its URL together. */
export function signSas(request: AzureSasRequest, parts: SasParts): SignedRequest {
  const { kind, endpoint, path, values, query } = parts;
  if (request.protocol !== undefined) values.set("spr", request.protocol);
  if (request.encryptionScope !== undefined) values.set("ses", request.encryptionScope);
  values.set("sv", parts.version ?? neededVersion(kind, values, DEFAULT_VERSION));
  checkSas(kind, values, (name, _, expected) => invalidInput(name, expected, values.get(name)));
  const stringToSign = azureStringToSign(kind, values);
  const method = methodFor(request.method, values.get("sp"));
  let tokens = "";
  for (const [name, value] of query) tokens += `${azureEncode(name)}=${azureEncode(value)}&`;
  for (const name of ORDER) {
    const value = values.get(name);
    if (value !== undefined) tokens += `${name}=${azureEncode(value)}&`;
  }
  tokens += `sig=${azureEncode(azureSignature(parts.key, stringToSign))}`;
  let names = "";
  for (const name of path) if (name !== undefined) names += `/${azureEncode(name).replaceAll("%2F", "/")}`;
  // A blob is created by its type: without the header Azure answers 400.
  const isUpload = method === "PUT" && path[1] !== undefined && /[cw]/.test(values.get("sp") ?? "w");
  return new SignedResult(
    {
      url: `${endpoint}${names || (/\w\//.test(endpoint) ? "" : "/")}?${tokens}`,
      method,
      headers: isUpload ? { "x-ms-blob-type": "BlockBlob", ...parts.headers } : parts.headers,
      expiresAt: parts.expiresAt,
      bound: [...parts.bound, "permissions", "end", ...(values.has("sip") ? ["client address"] : [])],
      unbound: ["method within the permissions", "all other headers", "all other query parameters", "body"],
      warnings: parts.warnings,
    },
    stringToSign,
  );
}

function methodFor(asked: string | undefined, letters: string | undefined): string {
  const methods = permittedMethods(letters ?? "");
  // What a stored policy permits is not known here, and breaking a lease is a PUT that the letter for DELETE permits.
  if (asked === undefined || methods.length === 0 || (asked === "PUT" && letters?.includes("d"))) {
    return asked ?? methods[0] ?? "GET";
  }
  if (methods.includes(asked)) return asked;
  throw invalidInput("method", `one that ${letters} permits (${methods.join(", ")})`, asked);
}
