import { fieldsOf, hasVersion, layoutsOf, parseAzureTime, type SasKind } from "../../schemes/azure/sas.ts";
import { decodeOr } from "../decoded.ts";
import type { CauseCode } from "../explanation.ts";
import type { Variant } from "../search/search.ts";
import { ENCODED_TWICE, LOST_PLUS, lostPluses, pathSpellings } from "../search/spellings.ts";
import { USUAL_LIVES } from "../search/usual-lives.ts";
import { lineCode, lineName } from "./cause.ts";
import type { AzureUrl } from "./facts.ts";

/** The signed input of a SAS. */
export interface AzureInput {
  readonly kind: SasKind;
  readonly fields: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly key: string;
  /** How bytes are made of the key. */
  readonly keyForm: "base64" | "text";
  readonly signature: string;
}

/** The string to sign of an input. */
export function inputText({ fields, values }: AzureInput): string {
  return fields.map((field) => values.get(field) ?? "").join("\n");
}

type Change = readonly [code: CauseCode, change: Partial<AzureInput>, sentence: string, fix: string];

/** The likeliest first. */
export function azureVariants(url: AzureUrl): (input: AzureInput) => Generator<Variant<AzureInput>> {
  return function* (input) {
    for (const changes of [signatureChanges(input), keyChanges(input), valueChanges(input)])
      yield* made(input, changes);
    yield* made(input, resourceChanges(input, url));
    yield* made(input, layoutChanges(input));
  };
}

function* made(input: AzureInput, changes: Iterable<Change>): Generator<Variant<AzureInput>> {
  for (const [code, change, text, fix] of changes)
    yield { code, input: { ...input, ...change }, signed: text, seen: text, fix };
}

function signatureChanges({ signature: now }: AzureInput): readonly Change[] {
  const fix = "Encode the base64 of the signature exactly once: + as %2B, / as %2F, = as %3D.";
  const spellings: readonly (readonly [what: string, signature: string])[] = [
    ["its + were not sent as %2B, so the server reads spaces", now.replaceAll(" ", "+")],
    ["it was percent-encoded twice", decodeOr(now, decodeURIComponent).replaceAll(" ", "+")],
    ["it is in base64url (- and _ for + and /)", now.replaceAll("-", "+").replaceAll("_", "/")],
    ["its = at the end was cut off", `${now.replace(/=+$/, "")}=`],
  ];
  return spellings
    .filter(([, signature]) => signature !== now)
    .map(([what, signature]) => ["SIGNATURE", { signature }, `The signature is right, but ${what}.`, fix]);
}

function keyChanges({ key }: AzureInput): readonly Change[] {
  const text = "The key was used as text: its base64 has to be decoded first.";
  const spaces = "The given key has spaces or a line end around it.";
  return [
    ["WRONG_SECRET", { keyForm: "text" }, text, "Decode the key's base64, and sign with the bytes."],
    ...(key.trim() === key ? [] : [["WRONG_SECRET", { key: key.trim() }, spaces, "Trim it."] as const]),
  ];
}

function* valueChanges({ fields, values }: AzureInput): Generator<Change> {
  for (const field of fields) {
    const value = values.get(field) ?? "";
    const name = lineName(field);
    const set = (other: string): Partial<AzureInput> => ({ values: new Map([...values, [field, other]]) });
    for (const order of field === "sp" ? letterOrders(value) : []) {
      const fix = "Put the same text into the URL that is signed, in Azure's order: racwdxltmeopiyf.";
      yield ["QUERY", set(order), `The permissions were signed as ${order}, but the URL has ${value}.`, fix];
    }
    for (const other of field === "sp" ? otherLetters(value) : []) {
      const fix = "The permissions are signed: ask for a URL with those that are needed.";
      const text = `The permissions were changed after signing: they were ${other}, and are ${value}.`;
      yield ["QUERY", set(other), text, fix];
    }
    for (const other of field === "se" ? movedTimes(value) : []) {
      const fix = "The expiry is signed: ask for a new URL with the lifetime you need.";
      yield [
        "EXPIRES_CHANGED",
        set(other),
        `The end was changed after signing: it was ${other}, and is ${value}.`,
        fix,
      ];
    }
    for (const [what, other] of /^(?:st|se|skt|ske)$/.test(field) ? timeForms(value) : []) {
      const fix = "Format a time once, and use the same text in the URL and in the string to sign.";
      yield ["TIME", set(other), `The ${name} was signed ${what} (${other}), but the URL has ${value}.`, fix];
    }
    if (value === "" || /^(?:sv|RESOURCE|ACCOUNT|END)$/.test(field)) continue;
    const added = `The ${name} was added after signing, or not signed.`;
    yield [lineCode(field), set(""), added, "Put it into the string to sign, in its place."];
    const encoded = encodeURIComponent(value);
    const text = `The ${name} was signed percent-encoded; the decoded text is signed.`;
    const fix = "Sign values as they are before they are encoded for the URL.";
    if (encoded !== value) yield [lineCode(field), set(encoded), text, fix];
  }
}

/** Permissions in the orders of Azure's services, and sorted. */
function letterOrders(letters: string): ReadonlySet<string> {
  const by = (order: string): string => [...letters].sort((a, b) => order.indexOf(a) - order.indexOf(b)).join("");
  const orders = ["racwdxltmeopiyf", "racwdxyltmeopi", "rtacwdlmeop", "rwdxftlacupiy", "racwdl"].map(by);
  const all = new Set([...orders, [...letters].sort().join(""), [...letters].reverse().join("")]);
  all.delete(letters);
  return all;
}

const MAX_LETTERS = 8;

/** Permissions that may have been signed: some of the letters, or a usual combination. */
function otherLetters(letters: string): ReadonlySet<string> {
  let all = [""];
  if (letters.length <= MAX_LETTERS) for (const letter of letters) all = all.flatMap((some) => [some, some + letter]);
  const others = new Set([...all, ..."r w c d l a rl rw cw rcw racw racwd racwdl".split(" ")]);
  others.delete("");
  others.delete(letters);
  return others;
}

/** Ends that are a usual lifetime away, in the form of this one. */
function movedTimes(value: string): readonly string[] {
  const end = parseAzureTime(value)?.getTime();
  if (end === undefined) return [];
  const times = USUAL_LIVES.flatMap((life) => [end - life * 1000, end + life * 1000]);
  const texts = times.map((time) => new Date(time).toISOString());
  if (value.includes(".")) return texts;
  return texts.map((text) => `${text.slice(0, value.replace(/Z$/, "").length)}${value.endsWith("Z") ? "Z" : ""}`);
}

function timeForms(value: string): readonly (readonly [what: string, text: string])[] {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return [];
  const full = date.toISOString();
  const forms: readonly (readonly [string, string])[] = [
    ["with milliseconds", full],
    ["with seven digits after the second", full.replace("Z", "0000Z")],
    ["to the second", full.replace(/\.\d+/, "")],
    ["to the minute", full.replace(/:\d\d\.\d+/, "")],
    ["as a day", full.slice(0, 10)],
    ["without Z", full.slice(0, 19)],
    ["with an offset instead of Z", full.replace(/\.\d+Z/, "+00:00")],
  ];
  return forms.filter(([, text]) => text !== value);
}

function* resourceChanges({ kind, values }: AzureInput, { location, values: url }: AzureUrl): Generator<Change> {
  if (location === undefined || kind.name === "account") return;
  const { account, container = "", blob = "" } = location;
  const right = values.get("RESOURCE") ?? "";
  const candidates: readonly (readonly [what: string, resource: string, sr?: string])[] = [
    ["without /blob in front, as before 2015-02-21", right.replace(/^\/blob/, "")],
    ["with the account twice, as in Azurite's path", right.replace(`/${account}/`, `/${account}/${account}/`)],
    ["without the account", right.replace(`/${account}`, "")],
    ["with a slash at its end", `${right}/`],
    ["without the slash in front", right.slice(1)],
    ["for the container, with sr=c", `/blob/${account}/${container}`, "c"],
    ["for the blob, with sr=b", `/blob/${account}/${container}/${blob}`, "b"],
    ["for the container, under the sr of the URL", `/blob/${account}/${container}`],
    ["for the blob, under the sr of the URL", `/blob/${account}/${container}/${blob}`],
    ["with the host in it", `/${account}.blob.core.windows.net/${container}/${blob}`],
    [ENCODED_TWICE, decodeOr(right, decodeURIComponent)],
    ...lostPluses(right, " ", "+").map((text) => [LOST_PLUS, text] as const),
    ...pathSpellings(encodeURI(right), right),
  ];
  const fix =
    "Sign /blob/account/container/name: the name decoded, without the account's -secondary, and with the sr that it is for.";
  for (const [what, resource, sr] of candidates) {
    if (resource === right && sr === undefined) continue;
    const changed = new Map([...values, ["RESOURCE", resource], ["sr", sr ?? url.get("sr") ?? ""]]);
    yield ["PATH", { values: changed }, `The resource was signed differently: ${what} (${resource}).`, fix];
  }
}

/** The versions that SDKs have signed since user delegation exists. */
const VERSIONS: readonly string[] = [
  "2018-11-09",
  "2019-02-02",
  "2019-07-07",
  "2019-10-10",
  "2019-12-12",
  "2020-02-10",
  "2020-04-08",
  "2020-06-12",
  "2020-08-04",
  "2020-10-02",
  "2020-12-06",
  "2021-02-12",
  "2021-04-10",
  "2021-06-08",
  "2021-08-06",
  "2021-10-04",
  "2021-12-02",
  "2022-11-02",
  "2023-01-03",
  "2023-05-03",
  "2023-08-03",
  "2023-11-03",
  "2024-02-04",
  "2024-05-04",
  "2024-08-04",
  "2024-11-04",
  "2025-01-05",
  "2025-05-05",
  "2025-07-05",
  "2025-11-05",
  "2026-02-06",
  "2026-04-06",
];

function* layoutChanges({ kind, fields, values }: AzureInput): Generator<Change> {
  if (fields.at(-1) === "END") {
    const text = "The line feed at the end of an account SAS was not signed.";
    yield ["VERSION", { fields: fields.slice(0, -1) }, text, "End the string to sign with a line feed."];
  }
  for (const [since, other] of layoutsOf(kind)) {
    if (other.join() === fields.join()) continue;
    const text = `The fields of ${since} were signed, and the URL says sv=${values.get("sv")}.`;
    yield ["VERSION", { fields: other }, text, "Sign the fields of the version that the URL names."];
  }
  const sv = values.get("sv") ?? "";
  for (const other of VERSIONS.filter((version) => version !== sv && hasVersion(kind, version))) {
    const change = { fields: fieldsOf(kind, other), values: new Map([...values, ["sv", other]]) };
    const fix = "The version is signed: pass a version that the server knows to the signer (version: …).";
    yield ["VERSION", change, `The version was changed after signing: sv was ${other}, and is ${sv}.`, fix];
  }
  const text = "A line feed was signed after the last field.";
  const fix = "Join the fields by line feeds, without one at the end.";
  yield ["VERSION", { fields: [...fields, "END"] }, text, fix];
}
