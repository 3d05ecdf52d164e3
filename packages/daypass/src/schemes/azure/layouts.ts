import { parseAzureTime } from "./time.ts";

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
  // Texts are compared, and what is no day lies between two versions as well.
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
