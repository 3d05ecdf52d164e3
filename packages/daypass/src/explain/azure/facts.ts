import { type AzureLocation, azureLocation } from "../../schemes/azure/location.ts";
import { SAS_NAME } from "../../schemes/azure/parse.ts";
import {
  ACCOUNT,
  canonicalHeaders,
  canonicalQuery,
  canonicalResource,
  DELEGATION,
  fieldsOf,
  hasVersion,
  NEWEST_VERSION,
  parseAzureTime,
  type SasKind,
  SERVICE,
} from "../../schemes/azure/sas.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { earlier } from "../cause/life.ts";
import type { SplitUrl, Subject } from "../explainer.ts";
import type { Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";

/** The claims of a SAS URL, as far as they can be read. */
export interface AzureUrl {
  readonly kind: SasKind;
  /** Decoded parameters of the SAS and the other signed values, by the names of `azure/layouts.ts`. */
  readonly values: ReadonlyMap<string, string>;
  /** The signed fields, in order. An unknown `sv` has the fields of the newest version. */
  readonly fields: readonly string[];
  readonly location: AzureLocation | undefined;
  /** Parameters outside the SAS. */
  readonly others: ReadonlyMap<string, string>;
  /** Decoded once: a plain `+` is a space, and double encoding leaves escapes. */
  readonly signature: string;
  readonly startsAt: Date | undefined;
  /** Absent if only a stored policy sets it. */
  readonly endsAt: Date | undefined;
}

/** Reads a SAS URL. */
export function readAzure(url: SplitUrl, { sent, keys }: Subject): AzureUrl {
  const all = readParameters(url);
  const values = new Map(all.filter(([name]) => SAS_NAME.test(name)));
  const others = new Map(all.filter(([name]) => !SAS_NAME.test(name)));
  const kind = values.has("srt") || values.has("ss") ? ACCOUNT : values.has("skoid") ? DELEGATION : SERVICE;
  const configured = keys.flatMap((key) => ("account" in key && key.account !== undefined ? [key.account] : []))[0];
  const location = readLocation(url, configured);
  const resource = values.get("sr");
  const sv = values.get("sv") ?? "";
  const listed = (name: "srh" | "srq"): readonly string[] => values.get(name)?.split(",") ?? [];
  const ofHost = azureHost(url)?.account;
  // Entities of a table have names that no container can have.
  if (ofHost !== undefined) values.set("ACCOUNT", ofHost.replace(/-secondary$/, ""));
  if (location !== undefined) {
    const { account, container = "", blob = "" } = location;
    const depth = Number(values.get("sdd") ?? 0);
    const directory = (blob || (others.get("prefix") ?? "")).split("/").slice(0, depth).join("/");
    const name = resource === "c" ? "" : resource === "d" ? directory : blob;
    values.set("ACCOUNT", account).set("RESOURCE", canonicalResource(account, container, name));
  }
  values.set("TIME", others.get({ bs: "snapshot", bv: "versionid" }[resource ?? ""] ?? "") ?? "");
  const header = (name: string): string => (headerValues(sent.headers, name.toLowerCase())[0] ?? "").trim();
  values.set("HEADERS", canonicalHeaders(listed("srh").map((name) => [name, header(name)])));
  values.set("QUERY", canonicalQuery(listed("srq").map((name) => [name, others.get(name) ?? ""])));
  const time = (name: string): Date | undefined => parseAzureTime(values.get(name) ?? "");
  const starts = [time("st"), time("skt")].filter((date) => date !== undefined);
  return {
    kind,
    values,
    fields: fieldsOf(kind, hasVersion(kind, sv) ? sv : NEWEST_VERSION),
    location,
    others,
    signature: values.get("sig") ?? "",
    startsAt: starts.sort((a, b) => b.getTime() - a.getTime())[0],
    endsAt: earlier(time("se"), time("ske")),
  };
}

function readLocation(url: SplitUrl, account: string | undefined): AzureLocation | undefined {
  const origin = `${url.protocol}://${url.authority.toLowerCase()}`;
  try {
    return azureLocation(
      { wire: url.wire, origin, wildcard: "", request: { method: "", target: "", authority: "", headers: [] } },
      // An emulator has the account in front of the path, and an account's own domain does not.
      azureHost(url)?.account ?? (url.wire.path.startsWith(`/${account}/`) ? undefined : account),
    );
  } catch {
    return undefined;
  }
}

/** Account and service of one of Azure's hosts. */
export function azureHost({ authority }: SplitUrl): { readonly account: string; readonly service: string } | undefined {
  const host = /^([a-z0-9-]+)\.(?:z\d\d?\.)?(blob|dfs|queue|file|table)\./.exec(authority.toLowerCase());
  const [, account = "", service = ""] = host ?? [];
  return host === null ? undefined : { account, service };
}

/** The resource of the URL, in words. */
export function azureResource({ kind, location, values }: AzureUrl): string {
  if (location === undefined) return "a path that names no account and container";
  const { account, container, blob } = location;
  const place = [
    ...(blob === undefined ? [] : [`blob ${blob}`]),
    ...(container === undefined ? [] : [`container ${container}`]),
    `account ${account}`,
  ].join(" in ");
  if (kind === ACCOUNT) return `every resource of account ${account} (it points to ${place})`;
  const resource = values.get("sr");
  if (resource === "c") return `container ${container} in account ${account}, and every blob in it`;
  if (resource === "d")
    return `a directory ${values.get("sdd")} deep in container ${container}, and all below it (it points to ${place})`;
  const time = values.get("TIME");
  return `${resource === "bs" ? `snapshot ${time} of ` : resource === "bv" ? `version ${time} of ` : ""}${place}`;
}

const MINUTES = 60_000;

/** Pitfalls of SAS URLs. */
export function azureTraps(
  { kind, values, others, location, signature, startsAt, endsAt }: AzureUrl,
  now: Date,
): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, isThere: boolean, text: string): void => {
    if (isThere) traps.push({ name, text });
  };
  const letters = values.get("sp") ?? "";
  const life = endsAt === undefined ? 0 : endsAt.getTime() - now.getTime();
  const age = startsAt === undefined ? -1 : now.getTime() - startsAt.getTime();
  add(
    "account-sas",
    kind === ACCOUNT,
    "An account SAS binds neither container nor blob: the holder of the URL can use it for any of them. Only a new account key revokes it.",
  );
  add(
    "stored-policy",
    values.has("si"),
    `The container's stored access policy ${JSON.stringify(values.get("si"))} sets part of what the URL may do and until when: the URL alone does not show it, and a change of the policy takes up to 30 seconds.`,
  );
  add("no-protocol", values.get("spr") !== "https", "Without spr=https the URL works over plain http, too.");
  add(
    "start-now",
    age >= 0 && age < 15 * MINUTES && values.has("st"),
    "It starts about now: on a server whose clock is behind, it is not valid yet. Leave st out, or set it 15 minutes back.",
  );
  add(
    "time-without-zone",
    ["st", "se"].some((name) => /T[\d:.]+$/.test(values.get(name) ?? "")),
    "A time has no Z: Azure reads UTC only, so a local time is off by hours.",
  );
  add(
    "address-in-azure",
    values.has("sip"),
    "sip is compared with the address that Azure sees: clients in the same region arrive with a private address and are refused, and a proxy arrives with its own.",
  );
  add(
    "long-life",
    kind !== DELEGATION && !values.has("si") && life > 7 * 1440 * MINUTES,
    "It is valid for more than seven days and names no stored policy: only a new account key, which also invalidates all other URLs, would revoke it.",
  );
  add("expired", endsAt !== undefined && life <= 0, `It expired at ${endsAt?.toISOString()}.`);
  add(
    "new-version",
    (values.get("sv") ?? "") > "2025-11-05",
    `sv=${values.get("sv")} is newer than some clouds and emulators support, which then refuse the URL or the x-ms-version header of Azure's clients.`,
  );
  add(
    "create-only",
    letters.includes("c") && !letters.includes("w"),
    "Permission c without w only creates new blobs: overwriting an existing one is refused with 403.",
  );
  add(
    "upload-needs-type",
    /[cw]/.test(letters) && location?.blob !== undefined && others.get("comp") === undefined,
    "An upload must send the header x-ms-blob-type: BlockBlob, which the URL does not show.",
  );
  add(
    "list-needs-parameters",
    letters.includes("l") && location?.blob === undefined && others.get("comp") === undefined,
    "To list, the holder adds restype=container&comp=list to the URL.",
  );
  add(
    "directory",
    values.get("sr") === "d",
    "A SAS for a directory works only in accounts with a hierarchical namespace.",
  );
  add(
    "plus-in-signature",
    signature.includes(" "),
    "The signature has a + that was not sent as %2B, so the server reads a space.",
  );
  add("signature-encoded-twice", /%[0-9A-Fa-f]{2}/.test(signature), "The signature was percent-encoded twice.");
  add(
    "user-token",
    values.has("sduoid"),
    "sduoid: the URL works only together with that user's own token from Entra ID.",
  );
  return traps;
}
