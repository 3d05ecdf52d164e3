import type { Clock, Signer } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { SignedResult, signer } from "../../core/signed-request.ts";
import { NEVER, signingWindow, startSeconds, systemClock } from "../../core/time.ts";
import { checkOptions, type RequestRules, unsupportedConstraint } from "../../core/validate-options.ts";
import { percentEncode } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { azureStringToSign, canonicalResource, resourcePath, type SasValues } from "./canonical.ts";
import { checkSas, neededVersion } from "./check-sas.ts";
import { azureSignature, preparedKeys } from "./credentials.ts";
import { ipRangeText } from "./ip-range.ts";
import type { SasKind } from "./layouts.ts";
import { isAccountName } from "./location.ts";
import { orderLetters, permittedMethods } from "./permissions.ts";
import type { AzureSasRequest, SasTarget } from "./request.ts";
import { formatAzureTime } from "./time.ts";

/** Options that every signer has. */
export interface AzureAccountOptions {
  /** The storage account's name: the part before `.blob.core.windows.net`. */
  readonly account: string;
  /** `https://account.blob.core.windows.net` by default; for Azurite, it ends in the account's name. */
  readonly endpoint?: string | undefined;
  /**
   * The `sv` to sign with. By default 2022-11-02, which every server and emulator of the last years reads, or as much more as
   * the request needs.
   */
  readonly version?: string | undefined;
}

interface SasSignerOptions<C> extends AzureAccountOptions {
  readonly credentials: C | (() => C);
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/** What a kind of SAS adds to what all have in common. */
export interface SasRequestParts extends SasTarget {
  /** Parameters that `srq` names. */
  readonly query?: readonly Parameter[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
}

/** What sets one kind of SAS apart for its signer. */
export interface SasSigning<R, C> {
  readonly kind: SasKind;
  readonly rules: RequestRules;
  /** Sets the parameters that name the key, if any. */
  readKey(credentials: C, values: SasValues): { readonly key: string; readonly expiration?: Date | undefined };
  /** Sets the parameters that are this kind's own. */
  readRequest(request: R, values: SasValues): SasRequestParts;
}

const UNBOUND = ["host", "method within the permissions", "all other headers", "all other query parameters", "body"];
// What parameters bind, where they are there.
const WORDS: Readonly<Record<string, string>> = {
  sp: "permissions",
  si: "stored policy",
  st: "start",
  se: "end",
  sip: "client address",
  spr: "protocol",
  ses: "encryption scope",
  snapshot: "snapshot",
  versionid: "version",
  sduoid: "user",
  rscc: "response",
  rscd: "response",
  rsce: "response",
  rscl: "response",
  rsct: "response",
};
const DEFAULT_VERSION = "2022-11-02";

/** Builds the signer of one kind of SAS. */
export function sasSigner<R extends AzureSasRequest, C extends object>(
  { kind, rules, readKey, readRequest }: SasSigning<R, C>,
  options: SasSignerOptions<C>,
): Signer<R> {
  const { account, version, credentialExpiry, clock = systemClock } = options;
  const endpoint = azureEndpoint(options);
  const keyOf = preparedKeys();
  const { credentials } = options;
  // What is missing is told by its parts.
  const current = (): C => (typeof credentials === "function" ? credentials() : credentials) ?? ({} as C);
  // What a function gives is checked when it is used.
  if (typeof credentials !== "function") keyOf(readKey(current(), {}).key);

  return signer((request) => {
    const { permissions, notBefore, bind, expiresIn, expiresAt: until } = request;
    const values: SasValues = { ACCOUNT: account, spr: request.protocol, ses: request.encryptionScope };
    checkOptions(request, rules);
    const parts = readRequest(request, values);
    const { container = "", name, bound, open, query = [], headers = {}, warnings = [] } = parts;
    const { key, expiration } = readKey(current(), values);
    const { si } = values;
    if (si === undefined || permissions !== undefined) values.sp = orderLetters("permissions", permissions, kind.order);
    const isOpen = si !== undefined && (expiresIn ?? until) === undefined;
    const window = isOpen
      ? { expiresAt: new Date(NEVER), warnings: [`the stored policy ${si} says when it ends`] }
      : signingWindow(request, clock(), { maxSeconds: kind.maxSeconds, expiration, credentialExpiry });
    const { expiresAt } = window;
    if (!isOpen) values.se = formatAzureTime(expiresAt);
    if (notBefore !== undefined) {
      startSeconds(notBefore);
      if (!(notBefore < expiresAt)) throw invalidInput("notBefore", "a Date before the end", String(notBefore));
      // Without its fraction, as Azure's own library has it: a start of now would lie ahead.
      values.st = formatAzureTime(notBefore);
    }
    if (bind?.ip !== undefined) {
      values.sip = ipRangeText(String(bind.ip));
      if (values.sip === undefined) {
        throw unsupportedConstraint("Azure", "bind.ip", "give one IPv4 address, a-b or a/n");
      }
    }
    values.sv = version ?? neededVersion(kind, values, DEFAULT_VERSION);
    checkSas(kind, values, (parameter, _, expected) => invalidInput(parameter, expected, values[parameter]));
    values.RESOURCE = canonicalResource(account, container, name);
    values.TIME = values.snapshot ?? values.versionid;
    const stringToSign = azureStringToSign(kind, values);
    const method = methodFor(values.sp, request.method);
    values.sig = azureSignature(keyOf(key), stringToSign);
    let tokens = "";
    for (const [parameter, value] of query) tokens += `&${azureEncode(parameter)}=${azureEncode(value)}`;
    for (const parameter of kind.parameters) {
      const value = values[parameter];
      if (value !== undefined) tokens += `&${parameter}=${azureEncode(value)}`;
    }
    const path = container && resourcePath(container, name);
    // A blob is created by its type: without the header Azure answers 400.
    const isUpload = method === "PUT" && name !== undefined && /[cw]/.test(values.sp ?? "w");
    return new SignedResult(
      {
        url: `${endpoint}${azureEncode(path).replaceAll("%2F", "/") || (/\w\//.test(endpoint) ? "" : "/")}?${tokens.slice(1)}`,
        method,
        headers: isUpload ? { "x-ms-blob-type": "BlockBlob", ...headers } : headers,
        expiresAt,
        bound: [...bound, ...new Set(kind.parameters.flatMap((name) => (values[name] && WORDS[name]) ?? []))],
        unbound: [...(values.spr === "https" ? [] : ["scheme"]), ...(open ? [open] : []), ...UNBOUND],
        warnings: [...window.warnings, ...warnings],
      },
      stringToSign,
    );
  });
}

/** Scheme, host and path of an account's Blob service, without a slash at its end. Throws `INVALID_INPUT`. */
function azureEndpoint({
  account,
  endpoint = `https://${account}.blob.core.windows.net`,
}: AzureAccountOptions): string {
  if (!isAccountName(account)) throw invalidInput("account", "up to 24 lower-case letters and digits", account);
  const [base] = /^https?:\/\/[^/?#\\\s@]+(?:\/[^/?#\\\s]+)*(?=\/?$)/.exec(endpoint) ?? [];
  if (base) return base;
  throw invalidInput("endpoint", "scheme://host[:port][/path]", endpoint);
}

const PLAIN = /^[\w.-]*$/;

/** The spelling of Azure's own libraries, which leaves `!()*` as they are. */
function azureEncode(text: string): string {
  return PLAIN.test(text) ? text : percentEncode(text).replaceAll("'", "%27");
}

function methodFor(letters = "", asked?: string): string {
  const methods = permittedMethods(letters);
  if (asked === undefined) return methods[0] ?? "GET";
  // What a stored policy permits is not known here, and breaking a lease is a PUT that the letter for DELETE permits.
  if (methods.length === 0 || (asked === "PUT" && letters.includes("d"))) return asked;
  if (methods.includes(asked)) return asked;
  throw invalidInput("method", `one that ${letters} permits (${methods.join(", ")})`, asked);
}
