import { adviser } from "#advice";
import type { Clock, Signer } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { methodOf } from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { SignedResult, signer } from "../../core/signed-request.ts";
import { NEVER, signingWindow, startSeconds, systemClock } from "../../core/time.ts";
import { checkOptions, type RequestRules, unsupportedConstraint } from "../../core/validate-options.ts";
import { percentEncode } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { type AzureSharedKey, azureSignature, preparedKeys, readSharedKey } from "./credentials.ts";
import { ipRangeText } from "./grant.ts";
import { isAccountName } from "./location.ts";
import {
  type AzureResourceRequest,
  type AzureSasRequest,
  checkContainer,
  INSTEAD,
  readName,
  readTarget,
  type SasTarget,
} from "./request.ts";
import {
  ACCOUNT,
  azureStringToSign,
  canonicalResource,
  checkSas,
  formatAzureTime,
  neededVersion,
  orderLetters,
  permittedMethods,
  resourcePath,
  type SasKind,
  type SasValues,
  SERVICE,
} from "./sas.ts";

// It concerns the key alone.
const advise = /* @__PURE__ */ adviser();

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
// What parameters bind, if present.
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
  const { account, version, credentialExpiry, clock = systemClock } = requireOptions(options);
  const endpoint = azureEndpoint(options);
  const keyOf = preparedKeys();
  const { credentials } = options;
  // The checks of the parts report what is missing.
  const current = (): C => (typeof credentials === "function" ? credentials() : credentials) ?? ({} as C);
  // The result of a function is checked at each use.
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
      // Without its fraction, as in Azure's own library. Otherwise, a start of now would lie ahead.
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
        warnings: advise([...window.warnings, ...warnings], { key: name }),
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

function methodFor(letters = "", given?: string): string {
  const methods = permittedMethods(letters);
  if (given === undefined) return methods[0] ?? "GET";
  const asked = methodOf(given);
  // What a stored policy permits is not known here, and breaking a lease is a PUT that the letter for DELETE permits.
  if (methods.length === 0 || (asked === "PUT" && letters.includes("d"))) return asked;
  if (methods.includes(asked)) return asked;
  throw invalidInput("method", `a method that ${letters} permits (${methods.join(", ")})`, asked);
}

/** One account SAS to sign. */
export interface AzureAccountSignRequest extends AzureSasRequest {
  /** Letters of `btqf`: blobs, tables, queues, files. Blobs alone by default. */
  readonly services?: string | undefined;
  /** Letters of `sco`: calls on the service, on containers, on objects. */
  readonly resourceTypes: string;
  /** The container in the URL. It is not signed: an account SAS grants every container. */
  readonly container?: string | undefined;
  /** The blob's name, exactly, in that container. */
  readonly blob?: string | undefined;
}

/**
 * Signs Azure Storage URLs with an account SAS, which grants all resources of the given types in a whole account. Prefer
 * `azureSigner` if one container is enough: the holder of an account SAS can use it for any other blob.
 *
 * Binds the account, services, resource types, permissions, times, one range of client addresses, the protocol and the
 * encryption scope. Does not bind container, blob, method, headers, parameters or body.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-account-sas
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { azureAccountSigner } from "daypass/azure";
 *
 * const azure = azureAccountSigner({
 *   account: "myaccount",
 *   credentials: { accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
 * });
 * export const { url } = azure.sign({ resourceTypes: "co", permissions: "rl", protocol: "https", expiresIn: 900 });
 * ```
 */
export function azureAccountSigner(options: AzureSignerOptions): Signer<AzureAccountSignRequest> {
  requireOptions(options);
  return sasSigner(
    {
      kind: ACCOUNT,
      rules: ACCOUNT_RULES,
      readKey: readSharedKey,
      readRequest(request, values) {
        const { container, blob, permissions = "" } = request;
        values.ss = orderLetters("services", request.services ?? "b", "btqf");
        values.srt = orderLetters("resourceTypes", request.resourceTypes, "sco");
        if (container !== undefined) checkContainer(container);
        else if (blob !== undefined) throw invalidInput("container", "the container of the blob", container);
        return {
          container,
          name: blob === undefined ? undefined : readName(blob, request.dotSegments, "blob"),
          bound: ["account", "services", "resource types"],
          open: "container and blob",
          warnings: /[wdcau]/.test(permissions) ? [WIDE] : [],
        };
      },
    },
    options,
  );
}

const WIDE = "an account SAS with these permissions changes blobs in every container: prefer azureSigner";

const BY_SERVICE = "use azureSigner";
const ACCOUNT_RULES: RequestRules = {
  scheme: "an account SAS",
  known:
    /^(?:container|blob|services|resourceTypes|permissions|method|protocol|encryptionScope|dotSegments|notBefore|expires(?:In|At)|stableWindow|bind(?:\.ip)?)$/,
  instead: { ...INSTEAD, prefix: BY_SERVICE, response: BY_SERVICE, identifier: BY_SERVICE },
};

/** One service SAS to sign. */
export type AzureSignRequest = AzureResourceRequest & {
  /**
   * A stored access policy of the container, at most 64 characters. Omit here what the policy sets (start, end,
   * permissions), and set everything else. Removing the policy revokes every URL that names it.
   */
  readonly identifier?: string | undefined;
};

/** Options of {@link azureSigner}. */
export interface AzureSignerOptions extends AzureAccountOptions {
  /** An account key, or a function that returns the current one. */
  readonly credentials: AzureSharedKey | (() => AzureSharedKey);
  /** What to do if the credentials' `expiration` is before the URL's: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs Azure Blob Storage URLs with a service SAS: one blob, snapshot, version, directory or container, with an account key.
 *
 * Binds the resource, permissions, times, one range of client addresses, the protocol, the encryption scope and the response
 * headers. The method is not signed, but follows from the permissions. Headers, further parameters
 * (`azureUserDelegationSigner` can sign them) and the body are not signed. With `identifier` and no expiry, the result's
 * `expiresAt` is the latest possible date, because only the policy defines the expiry.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { azureSigner } from "daypass/azure";
 *
 * const azure = azureSigner({
 *   account: "myaccount",
 *   credentials: { accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
 * });
 * const download = azure.sign({ container: "media", blob: "talks/keynote.mp4", permissions: "r", expiresIn: 900 });
 * const upload = azure.sign({ container: "media", blob: "in/a.png", permissions: "cw", expiresIn: 900 });
 * console.log(download.url, upload.method, upload.headers); // … PUT { "x-ms-blob-type": "BlockBlob" }
 * ```
 */
export function azureSigner(options: AzureSignerOptions): Signer<AzureSignRequest> {
  requireOptions(options);
  return sasSigner(
    {
      kind: SERVICE,
      rules: SERVICE_RULES,
      readKey: readSharedKey,
      readRequest(request, values) {
        values.si = request.identifier;
        return readTarget(request, values);
      },
    },
    options,
  );
}

const SERVICE_RULES: RequestRules = {
  scheme: "an Azure SAS",
  known:
    /^(?:container|blob|prefix|resource|snapshot|versionId|identifier|permissions|method|protocol|encryptionScope|dotSegments|notBefore|expires(?:In|At)|stableWindow|bind(?:\.ip)?|response(?:\.(?:cacheControl|content(?:Disposition|Encoding|Language|Type)))?)$/,
  instead: INSTEAD,
};
