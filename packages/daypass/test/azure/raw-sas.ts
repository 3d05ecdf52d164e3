import { createHmac } from "node:crypto";
import type { WireRequest } from "../../src/index.ts";
import { ACCOUNT, CREDENTIALS, DELEGATION_KEY } from "./fixture.ts";

// An independent signer that signs anything: the verifier must refuse what the library's signer would refuse, when it
// comes with a good signature, too. Written from Azure's documentation; shares no code with the library.

type Fields = Readonly<Record<string, string>>;

const RS = ["rscc", "rscd", "rsce", "rscl", "rsct"];
const DELEGATED = ["skoid", "sktid", "skt", "ske", "sks", "skv"];

/** The lines of the string to sign for a version, by the names of parameters; upper case is worked out. */
function lines(kind: "service" | "account" | "user-delegation", version: string): readonly string[] {
  const from = (since: string, ...names: readonly string[]): readonly string[] => (version >= since ? names : []);
  if (kind === "account") {
    const names = ["ACCOUNT", "sp", "ss", "srt", "st", "se", "sip", "spr", "sv"];
    return [...names, ...from("2020-12-06", "ses"), "END"];
  }
  const own =
    kind === "service"
      ? ["si"]
      : [...DELEGATED, ...from("2020-02-10", "saoid", "suoid", "scid"), ...from("2025-07-05", "skdutid", "sduoid")];
  return [
    ...["sp", "st", "se", "RESOURCE", ...own, "sip", "spr", "sv"],
    ...from("2018-11-09", "sr", "TIME"),
    ...from("2020-12-06", "ses"),
    ...(kind === "user-delegation" ? from("2026-04-06", "HEADERS", "QUERY") : []),
    ...RS,
  ];
}

export interface RawSas {
  readonly kind?: "service" | "account" | "user-delegation";
  /** Parameters of the SAS. Defaults make a service SAS that reads one blob. */
  readonly fields?: Fields;
  /** Parameters to leave out. */
  readonly without?: readonly string[];
  /** What is signed but not a parameter: RESOURCE, TIME, HEADERS, QUERY. */
  readonly signed?: Fields;
  readonly method?: string;
  readonly path?: string;
  /** In front of the SAS, percent-encoded. */
  readonly query?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly key?: string;
  readonly authority?: string;
  readonly remoteAddress?: string;
}

const DEFAULTS: Readonly<Record<string, Fields>> = {
  service: { sv: "2022-11-02", se: "2026-01-02T04:00:00Z", sr: "b", sp: "r" },
  account: { sv: "2022-11-02", ss: "b", srt: "sco", se: "2026-01-02T04:00:00Z", sp: "r" },
  "user-delegation": {
    ...{ sv: "2026-04-06", se: "2026-01-02T04:00:00Z", sr: "b", sp: "r" },
    ...{ skoid: DELEGATION_KEY.signedObjectId, sktid: DELEGATION_KEY.signedTenantId, sks: "b", skv: "2022-11-02" },
    ...{ skt: "2026-01-02T00:00:00Z", ske: "2026-01-03T00:00:00Z" },
  },
};

/** A request whose signature is right for what it says. */
export function rawRequest(options: RawSas = {}): WireRequest {
  const { kind = "service", path = "/media/a.txt", query = "", without = [], method = "GET" } = options;
  const fields: Record<string, string> = { ...DEFAULTS[kind], ...options.fields };
  for (const name of without) delete fields[name];
  const values: Fields = {
    ACCOUNT,
    RESOURCE: `/blob/${ACCOUNT}${fields["sr"] === "c" ? "/media" : decodeURIComponent(path)}`,
    ...fields,
    ...options.signed,
  };
  const text = lines(kind, fields["sv"] ?? "")
    .map((name) => values[name] ?? "")
    .join("\n");
  const usual = kind === "user-delegation" ? DELEGATION_KEY.value : CREDENTIALS.accountKey;
  const signature = createHmac("sha256", Buffer.from(options.key ?? usual, "base64"))
    .update(text)
    .digest("base64");
  const tokens = Object.entries({ ...fields, sig: signature }).map((pair) => pair.map(encodeURIComponent).join("="));
  return {
    method,
    target: `${path}?${query === "" ? "" : `${query}&`}${tokens.join("&")}`,
    authority: options.authority ?? `${ACCOUNT}.blob.core.windows.net`,
    headers: options.headers ?? [],
    remoteAddress: options.remoteAddress,
  };
}
