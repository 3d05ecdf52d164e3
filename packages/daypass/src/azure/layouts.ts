/** What signs a SAS, and for how much: an account key for one resource or for the whole account, or a key on loan from Entra ID. */
export type AzureSasKind = "service" | "account" | "user-delegation";

type Layout = readonly [since: string, fields: string];

/** One kind of SAS as data. */
export interface SasKind {
  readonly name: AzureSasKind;
  /**
   * An Azure SAS version is one row: from which version on these fields are signed in this order, a line each. A field in
   * lower case is the query parameter of that name, decoded; one in upper case is worked out: `RESOURCE` the canonical
   * resource, `TIME` the snapshot or version, `HEADERS` and `QUERY` what `srh` and `srq` name, `ACCOUNT` the account, `END`
   * nothing, which leaves the line feed that an account SAS ends with. Newest first.
   *
   * Source: "Create a service SAS", "Create a user delegation SAS" and "Create an account SAS" of the Azure Storage REST
   * reference, and \@azure/storage-blob 12.32.0, src/sas. Each row is proved by test/vectors/azure.
   */
  readonly layouts: readonly Layout[];
  /** What else is known only from some version on: permission letters, and kinds of resources by their `sr`. */
  readonly since: Readonly<Record<string, string>>;
  /** Parameters without which there is no such SAS, beside `sv` and `sig`; `se` and `sp` may stand in a stored access policy. */
  readonly required: readonly string[];
  /** In which permissions are written. */
  readonly order: string;
}

// @azure/storage-blob 12.32.0 checks the same, SASSignatureValuesSanityCheckAndAutofill.
const SINCE: SasKind["since"] = {
  x: "2019-10-10",
  y: "2019-10-10",
  t: "2019-12-12",
  m: "2020-02-10",
  e: "2020-02-10",
  o: "2020-02-10",
  p: "2020-02-10",
  i: "2020-08-04",
  f: "2021-04-10",
  "sr=bs": "2018-11-09",
  "sr=bv": "2019-10-10",
  "sr=d": "2020-02-10",
};
const ORDER = "racwdxltmeopiyf";

export const SERVICE: SasKind = {
  name: "service",
  layouts: [
    ["2020-12-06", "sp st se RESOURCE si sip spr sv sr TIME ses rscc rscd rsce rscl rsct"],
    ["2018-11-09", "sp st se RESOURCE si sip spr sv sr TIME rscc rscd rsce rscl rsct"],
    ["2015-04-05", "sp st se RESOURCE si sip spr sv rscc rscd rsce rscl rsct"],
  ],
  since: SINCE,
  required: ["sr"],
  order: ORDER,
};

export const ACCOUNT: SasKind = {
  name: "account",
  layouts: [
    ["2020-12-06", "ACCOUNT sp ss srt st se sip spr sv ses END"],
    ["2015-04-05", "ACCOUNT sp ss srt st se sip spr sv END"],
  ],
  // `p` is "process" here, and `f` finds blobs by tags since there are tags.
  since: { x: "2019-10-10", y: "2019-10-10", t: "2019-12-12", f: "2019-12-12", i: "2020-08-04" },
  required: ["ss", "srt", "sp", "se"],
  order: "rwdxftlacupiy",
};

export const DELEGATION: SasKind = {
  name: "user-delegation",
  layouts: [
    [
      "2026-04-06",
      "sp st se RESOURCE skoid sktid skt ske sks skv saoid suoid scid skdutid sduoid sip spr sv sr TIME ses HEADERS QUERY rscc rscd rsce rscl rsct",
    ],
    [
      "2025-07-05",
      "sp st se RESOURCE skoid sktid skt ske sks skv saoid suoid scid skdutid sduoid sip spr sv sr TIME ses rscc rscd rsce rscl rsct",
    ],
    [
      "2020-12-06",
      "sp st se RESOURCE skoid sktid skt ske sks skv saoid suoid scid sip spr sv sr TIME ses rscc rscd rsce rscl rsct",
    ],
    [
      "2020-02-10",
      "sp st se RESOURCE skoid sktid skt ske sks skv saoid suoid scid sip spr sv sr TIME rscc rscd rsce rscl rsct",
    ],
    ["2018-11-09", "sp st se RESOURCE skoid sktid skt ske sks skv sip spr sv sr TIME rscc rscd rsce rscl rsct"],
  ],
  since: SINCE,
  required: ["sr", "sp", "se", "skoid", "sktid", "skt", "ske", "sks", "skv"],
  order: ORDER,
};

/** The newest version that is known to have these layouts: \@azure/storage-blob 12.34.0 signs it as it signs 2026-04-06. */
export const NEWEST_VERSION = "2026-10-06";

/** The fields that a version signs, in order, or `undefined` for a version that this kind does not have. */
export function fieldsOf({ layouts }: SasKind, version: string): readonly string[] | undefined {
  if (!/^20\d\d-\d\d-\d\d$/.test(version) || version > NEWEST_VERSION) return undefined;
  const layout = layouts.find(([since]) => version >= since);
  return layout && fieldsIn(layout);
}

const read = new Map<Layout, readonly string[]>();

// Taken apart once: every signature needs one.
function fieldsIn(layout: Layout): readonly string[] {
  const fields = read.get(layout) ?? layout[1].split(" ");
  read.set(layout, fields);
  return fields;
}

/** The first version that signs all of these fields, or nothing. */
export function firstVersion({ layouts }: SasKind, fields: readonly string[]): string {
  return layouts.findLast((layout) => fields.every((field) => fieldsIn(layout).includes(field)))?.[0] ?? "";
}
