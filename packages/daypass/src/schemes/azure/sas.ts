import { type DaypassError, invalidInput } from "../../core/errors.ts";
import type { Parameter } from "../../wire/parameters.ts";

/**
 * The decoded parameters of a SAS, and in upper case the values derived from a request, by the names of the layouts. Absent
 * values are signed as empty.
 */
export interface SasValues {
  [name: string]: string | undefined;
  /** The version, and the kind of resource: `c`, `b`, `bs`, `bv` or `d`, which has a depth. */
  sv?: string | undefined;
  sr?: string | undefined;
  sdd?: string | undefined;
  /** Permissions, start, expiry, and the stored policy with the missing ones. */
  sp?: string | undefined;
  st?: string | undefined;
  se?: string | undefined;
  si?: string | undefined;
  /** Client addresses, protocol and encryption scope. */
  sip?: string | undefined;
  spr?: string | undefined;
  ses?: string | undefined;
  /** Services and kinds of resources of an account SAS. */
  ss?: string | undefined;
  srt?: string | undefined;
  /** Owner and times of a user delegation key. */
  skoid?: string | undefined;
  skt?: string | undefined;
  ske?: string | undefined;
  /** Users, and a GUID for the logs. */
  saoid?: string | undefined;
  suoid?: string | undefined;
  sduoid?: string | undefined;
  scid?: string | undefined;
  /** Names of the signed headers and parameters of the request. */
  srh?: string | undefined;
  srq?: string | undefined;
  /** One of these is a parameter of the URL where `sr` is `bs` or `bv`, and `TIME` in the string to sign. */
  snapshot?: string | undefined;
  versionid?: string | undefined;
  sig?: string | undefined;
  ACCOUNT?: string | undefined;
  RESOURCE?: string | undefined;
  TIME?: string | undefined;
  HEADERS?: string | undefined;
  QUERY?: string | undefined;
}

/** The path to a container, a blob or a directory, decoded. */
export function resourcePath(container: string, name = ""): string {
  return `/${container}${name && `/${name}`}`;
}

/** What is signed of the path, the service in front: "must be URL-decoded". */
export function canonicalResource(account: string, container: string, name?: string): string {
  return `/blob/${account}${resourcePath(container, name)}`;
}

/** The fields of the version, a line each: the text of the HMAC-SHA256. */
export function azureStringToSign({ fields, since }: SasKind, values: SasValues): string {
  const { sv = "" } = values;
  let text = "";
  for (const field of fields) if (!((since[field] ?? "") > sv)) text += `${values[field] ?? ""}\n`;
  return text.slice(0, -1);
}

/**
 * Whether a text could be read as several fields of the string to sign: they are decoded and joined by line feeds, so no
 * field may hold one. (A blob's name may: it is the only one, so the lines around it keep their places.)
 */
export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** What signs a SAS, and for which scope: an account key for one resource or for the whole account, or a key issued by Entra ID. */
export type AzureSasKind = "service" | "account" | "user-delegation";

/** One kind of SAS as data. */
export interface SasKind {
  readonly name: AzureSasKind;
  /**
   * What is signed, in this order, a line each. A field in lower case is the query parameter of that name, decoded; one in
   * upper case is worked out: `RESOURCE` the canonical resource, `TIME` the snapshot or version, `HEADERS` and `QUERY` what
   * `srh` and `srq` name, `ACCOUNT` the account, `END` nothing, which leaves the line feed that an account SAS ends with.
   *
   * Source: "Create a service SAS", "Create a user delegation SAS" and "Create an account SAS" of the Azure Storage REST
   * reference, and \@azure/storage-blob 12.34.0, src/sas. Each version is proved by test/vectors/azure.
   */
  readonly fields: readonly string[];
  /**
   * The parameters of such a URL, in the order in which \@azure/storage-blob writes them. Of `sdd` no line is signed, but the
   * directory that it makes is.
   */
  readonly parameters: readonly string[];
  /**
   * What is known only from some version on, as no version takes anything back: fields, parameters, permission letters, kinds of
   * resources by their `sr`. Of `sv` it is the first version that this kind has, and of `sr` when it is signed: it always was there.
   */
  readonly since: Readonly<Record<string, string>>;
  /**
   * Parameters without which there is no such SAS, beside `sv` and `sig`, and `se` and `sp` but with a stored access policy; with
   * the form of each.
   */
  readonly required: Readonly<Record<string, RegExp>>;
  /** Permissions in the order in which they are written here, and all the forms in which Azure reads them. */
  readonly order: string;
  readonly permissions: readonly RegExp[];
  /** Longest life in seconds. */
  readonly maxSeconds: number;
}

// @azure/storage-blob 12.34.0 checks the same of letters and resources, SASSignatureValuesSanityCheckAndAutofill.
const SINCE = {
  sv: "2015-04-05",
  sr: "2018-11-09",
  TIME: "2018-11-09",
  "sr=bs": "2018-11-09",
  "sr=bv": "2019-10-10",
  x: "2019-10-10",
  y: "2019-10-10",
  t: "2019-12-12",
  m: "2020-02-10",
  e: "2020-02-10",
  o: "2020-02-10",
  p: "2020-02-10",
  "sr=d": "2020-02-10",
  i: "2020-08-04",
  ses: "2020-12-06",
  f: "2021-04-10",
};
const ORDER = "racwdxltmeopiyf";
// "You must include permissions in the following order." The orders that Microsoft itself makes differ in where y and t
// stand: @azure/storage-blob, the documentation, @azure/storage-file-datalake.
const ORDERS = [/^r?a?c?w?d?x?l?t?m?e?o?p?i?y?f?$/, /^r?a?c?w?d?x?y?l?t?m?e?o?p?i?$/, /^r?t?a?c?w?d?l?m?e?o?p?$/];
const RESOURCE = /^(?:c|b[sv]?|d)$/;
// Azure sets no maximum for account keys. A century catches milliseconds that were given as seconds.
const CENTURY = 3_153_600_000;

export const SERVICE: SasKind = {
  name: "service",
  fields: /* @__PURE__ */ "sp st se RESOURCE si sip spr sv sr TIME ses rscc rscd rsce rscl rsct".split(" "),
  parameters: /* @__PURE__ */ "snapshot versionid sv spr st se sip si ses sr sp rscc rscd rsce rscl rsct sdd sig".split(
    " ",
  ),
  since: SINCE,
  required: { sr: RESOURCE },
  order: ORDER,
  permissions: ORDERS,
  maxSeconds: CENTURY,
};

export const ACCOUNT: SasKind = {
  name: "account",
  fields: /* @__PURE__ */ "ACCOUNT sp ss srt st se sip spr sv ses END".split(" "),
  parameters: /* @__PURE__ */ "sv ss srt spr st se sip ses sp sig".split(" "),
  // `p` is "process" here, and `f` finds blobs by tags since there are tags.
  since: {
    sv: "2015-04-05",
    x: "2019-10-10",
    y: "2019-10-10",
    t: "2019-12-12",
    f: "2019-12-12",
    i: "2020-08-04",
    ses: "2020-12-06",
  },
  required: { ss: /^(?=.{1,4}$)(?!.*(.).*\1)[btqf]+$/, srt: /^(?=.{1,3}$)(?!.*(.).*\1)[sco]+$/ },
  order: "rwdxftlacupiy",
  // The order does not matter.
  permissions: [/^(?=.{1,13}$)(?!.*(.).*\1)[rwdxftlacupiy]+$/],
  maxSeconds: CENTURY,
};

export const DELEGATION: SasKind = {
  name: "user-delegation",
  fields:
    /* @__PURE__ */ "sp st se RESOURCE skoid sktid skt ske sks skv saoid suoid scid skdutid sduoid sip spr sv sr TIME ses HEADERS QUERY rscc rscd rsce rscl rsct".split(
      " ",
    ),
  parameters:
    /* @__PURE__ */ "snapshot versionid sv spr st se sip ses skoid sktid skt ske sks skv sr sp rscc rscd rsce rscl rsct saoid suoid scid sdd sduoid skdutid srh srq sig".split(
      " ",
    ),
  since: /* @__PURE__ */ Object.assign({}, SINCE, {
    sv: "2018-11-09",
    saoid: "2020-02-10",
    suoid: "2020-02-10",
    scid: "2020-02-10",
    skdutid: "2025-07-05",
    sduoid: "2025-07-05",
    srh: "2026-04-06",
    srq: "2026-04-06",
    HEADERS: "2026-04-06",
    QUERY: "2026-04-06",
  }),
  required: { sr: RESOURCE, skoid: /./, sktid: /./, skt: /./, ske: /./, sks: /^b$/, skv: /./ },
  order: ORDER,
  permissions: ORDERS,
  // "The maximum interval is seven days": so long a user delegation key can live.
  maxSeconds: 604_800,
};

/** The newest version that is known to have these layouts: \@azure/storage-blob 12.34.0 signs it as it signs 2026-04-06. */
export const NEWEST_VERSION = "2026-10-06";

/** Whether a version of this kind of SAS is known. */
export function hasVersion({ since }: SasKind, version: string): boolean {
  // Texts are compared, so a text that is not a day lies between two versions, too.
  const isDay = /^20\d\d-\d\d-\d\d$/.test(version) && parseAzureTime(version) !== undefined;
  return isDay && version >= (since["sv"] ?? "") && version <= NEWEST_VERSION;
}

/** The fields that a version signs, in order. */
export function fieldsOf({ fields, since }: SasKind, version = ""): readonly string[] {
  return fields.filter((field) => !((since[field] ?? "") > version));
}

/** Each version that signs other fields than the one before, with its fields; newest first. */
export function layoutsOf(kind: SasKind): readonly (readonly [since: string, fields: readonly string[]])[] {
  const versions = new Set(["sv", ...kind.fields].map((field) => kind.since[field] ?? ""));
  return [...versions]
    .filter(Boolean)
    .sort()
    .reverse()
    .map((since) => [since, fieldsOf(kind, since)]);
}

/** `YYYY-MM-DDThh:mm:ssZ`, as Azure's own libraries sign it; fractions of a second are dropped. */
export function formatAzureTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The ISO 8601 forms in UTC that Azure documents for a SAS: a day, a minute or a second. */
const TIME_FORMS: RegExp = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/;

/** Parses a time in one of the {@link TIME_FORMS}; `undefined` also for a day that does not exist, which `Date` would roll over. */
export function parseAzureTime(text = ""): Date | undefined {
  const date = new Date(TIME_FORMS.test(text) ? text : Number.NaN);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date : undefined;
}

/** Whether permissions are letters that exist for the resource (an `sr`), each once, in an order that Azure reads. */
export function arePermissions({ permissions }: SasKind, resource: string, letters: string): boolean {
  // A single blob cannot be listed, and tags are searched in containers.
  return permissions.some((form) => form.test(letters)) && !/^(?:b.*[lf]|d=.*f)/.test(`${resource}=${letters}`);
}

/** Letters in the one order that is signed here. Those that repeat or do not exist are refused later. */
export function orderLetters(option: string, letters = "", order: string): string {
  // Each letter of these words is a permission: "read" would read, add, delete and execute.
  if (typeof letters !== "string" || /^(?:read|write)?$/.test(letters))
    throw invalidInput(option, `letters such as "${order[0]}"`, letters === "" ? undefined : letters);
  return [...letters].sort((a, b) => order.indexOf(a) - order.indexOf(b)).join("");
}

// The method is not signed: it follows from what is permitted. The first that fits is the usual one.
const METHODS = /* @__PURE__ */ Object.entries({
  GET: /[rltf]/,
  PUT: /[wcati]/,
  DELETE: /[dxyi]/,
  HEAD: /[rltf]/,
  POST: /r/,
});

/** The methods that some operation with these permissions has. */
export function permittedMethods(letters: string): readonly string[] {
  return METHODS.filter(([, some]) => some.test(letters)).map(([method]) => method);
}

const FORMS: Readonly<Record<string, RegExp>> = {
  sdd: /^(?:0|[1-9][0-9]{0,2})$/,
  spr: /^https(?:,http)?$/,
  si: /^.{1,64}$/,
  // base64 of 32 bytes: the last character has two spare bits, and they are zero.
  sig: /^[A-Za-z0-9+/]{43}=$/,
};

/** The first version, no older than `version`, that knows all of a SAS: parameters, kind of resource and permissions. */
export function neededVersion({ parameters, since }: SasKind, values: SasValues, version: string): string {
  const marks = [`sr=${values.sr}`, ...(values.sp ?? "")];
  for (const name of parameters) if (name !== "sr" && values[name] !== undefined) marks.push(name);
  return marks.reduce((needed, mark) => ((since[mark] ?? "") > needed ? (since[mark] as string) : needed), version);
}

/** Makes the error for a parameter that is not as it should be: a refusal of a request, or `INVALID_INPUT` at a signer. */
export type SasFault = (parameter: string, problem: string, expected: string) => DaypassError;

/** Checks the parameters of a SAS, for signers and verifiers alike: each is signed by its version, and has its form. */
export function checkSas(kind: SasKind, values: SasValues, fault: SasFault): void {
  const { parameters, since, required, order } = kind;
  const { sv = "", sr = "", sdd, sp } = values;
  if (!hasVersion(kind, sv)) throw fault("sv", "version", `${since["sv"]} to ${NEWEST_VERSION}`);
  for (const name in values) {
    const text = values[name];
    // Derived values are in upper case and may contain line feeds.
    if (text === undefined || name < "a") continue;
    if (!parameters.includes(name) || (name !== "sr" && (since[name] ?? "") > sv)) {
      throw fault(name, "unsigned", `nothing, as ${sv} does not sign it (${since[name] ?? "none"} does)`);
    }
    // An empty field is signed like an absent field.
    const form = required[name] ?? FORMS[name] ?? /./;
    if (typeof text !== "string" || hasControl(text) || !form.test(text))
      throw fault(name, "form", name === "spr" ? "https or https,http" : "what Azure documents");
    if (/^sk?[te]$/.test(name) && !parseAzureTime(text)) throw fault(name, "form", "a time in UTC");
  }
  if ((sdd === undefined) === (sr === "d")) throw fault("sdd", "depth", "a depth with sr=d, and only there");
  if (sp !== undefined && !arePermissions(kind, sr, sp)) {
    throw fault("sp", "permissions", `letters that exist for the resource, each once, as ${order}`);
  }
  const needed = neededVersion(kind, values, sv);
  if (needed > sv) throw fault("sv", "version", `${needed} or later for this sr and sp`);
}

// What a user delegation SAS of 2026-04-06 and later signs of a request.
// Source: @azure/storage-blob 12.34.0, src/sas/BlobSASSignatureValues.ts; the SDKs for .NET and Java make the same texts.

/** `name:value` and a line feed for each header that `srh` names, in its order and spelling. */
export function canonicalHeaders(pairs: readonly Parameter[]): string {
  return pairs.map(([name, value]) => `${name}:${value}\n`).join("");
}

/** A line feed and `name:value` for each parameter that `srq` names, in its order; the value decoded. */
export function canonicalQuery(pairs: readonly Parameter[]): string {
  return pairs.map(([name, value]) => `\n${name}:${value}`).join("");
}

/** Names that `srh` and `srq` may list: the list is not signed, and a colon or comma in a name would move its ends. */
export function isBindableName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name);
}
