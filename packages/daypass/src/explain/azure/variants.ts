import { fieldsOf, hasVersion, layoutsOf, parseAzureTime, type SasKind } from "../../schemes/azure/sas.ts";
import { decodeOr } from "../decoded.ts";
import type { CauseCode } from "../explanation.ts";
import type { Variant } from "../search/search.ts";
import { ENCODED_TWICE, LOST_PLUS, lostPluses, pathSpellings } from "../search/spellings.ts";
import { USUAL_LIVES } from "../search/usual-lives.ts";
import { lineCode, lineName } from "./cause.ts";
import type { AzureUrl } from "./facts.ts";

/** Everything that the signature of a SAS depends on. */
export interface AzureInput {
  readonly kind: SasKind;
  readonly fields: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  /** How the key's text is made a key, and the text. */
  readonly key: string;
  readonly keyForm: "base64" | "text" | "base64url";
  readonly signature: string;
}

/** The string to sign of an input. */
export function inputText({ fields, values }: AzureInput): string {
  return fields.map((field) => values.get(field) ?? "").join("\n");
}

/** The variants in the order of how often they are the cause. */
export function azureVariants(url: AzureUrl): (input: AzureInput) => Generator<Variant<AzureInput>> {
  return function* (input) {
    yield* signatureVariants(input);
    yield* keyVariants(input);
    yield* valueVariants(input);
    yield* resourceVariants(input, url);
    yield* layoutVariants(input);
  };
}

function variant(code: CauseCode, input: AzureInput, sentence: string, fix: string): Variant<AzureInput> {
  return { code, input, signed: sentence, seen: sentence, fix };
}

function* signatureVariants(input: AzureInput): Generator<Variant<AzureInput>> {
  const { signature } = input;
  const spellings: readonly (readonly [what: string, signature: string])[] = [
    ["its + were not sent as %2B, so the server reads spaces", signature.replaceAll(" ", "+")],
    ["it was percent-encoded twice", decodeOr(signature, decodeURIComponent).replaceAll(" ", "+")],
    ["it is in base64url (- and _ for + and /)", signature.replaceAll("-", "+").replaceAll("_", "/")],
    ["its = at the end was cut off", `${signature.replace(/=+$/, "")}=`],
  ];
  for (const [what, other] of spellings) {
    if (other === signature) continue;
    const fix = "Encode the base64 of the signature exactly once: + as %2B, / as %2F, = as %3D.";
    yield variant("SIGNATURE", { ...input, signature: other }, `The signature is right, but ${what}.`, fix);
  }
}

function* keyVariants(input: AzureInput): Generator<Variant<AzureInput>> {
  const text = "The key was used as text: its base64 has to be decoded first.";
  yield variant(
    "WRONG_SECRET",
    { ...input, keyForm: "text" },
    text,
    "Decode the key's base64, and sign with the bytes.",
  );
  const trimmed = input.key.trim();
  if (trimmed !== input.key) {
    yield variant(
      "WRONG_SECRET",
      { ...input, key: trimmed },
      "The given key has spaces or a line end around it.",
      "Trim it.",
    );
  }
}

function* valueVariants(input: AzureInput): Generator<Variant<AzureInput>> {
  const set = (field: string, value: string): AzureInput => ({
    ...input,
    values: new Map([...input.values, [field, value]]),
  });
  for (const field of input.fields) {
    const value = input.values.get(field) ?? "";
    const name = lineName(field);
    if (field === "sp" && value !== "") {
      for (const order of [...letterOrders(value)]) {
        yield variant(
          "QUERY",
          set(field, order),
          `The permissions were signed as ${order}, but the URL has ${value}.`,
          "Put the same text into the URL that is signed, in Azure's order: racwdxltmeopiyf.",
        );
      }
    }
    if (field === "sp") {
      for (const other of otherLetters(value)) {
        yield variant(
          "QUERY",
          set(field, other),
          `The permissions were changed after signing: they were ${other}, and are ${value}.`,
          "The permissions are signed: ask for a URL with those that are needed.",
        );
      }
    }
    for (const other of field === "se" ? movedTimes(value) : []) {
      yield variant(
        "EXPIRES_CHANGED",
        set(field, other),
        `The end was changed after signing: it was ${other}, and is ${value}.`,
        "The expiry is signed: ask for a new URL with the lifetime you need.",
      );
    }
    for (const [what, other] of /^(?:st|se|skt|ske)$/.test(field) ? timeForms(value) : []) {
      yield variant(
        "TIME",
        set(field, other),
        `The ${name} was signed ${what} (${other}), but the URL has ${value}.`,
        "Format a time once, and use the same text in the URL and in the string to sign.",
      );
    }
    if (value === "" || /^(?:sv|RESOURCE|ACCOUNT|END)$/.test(field)) continue;
    yield variant(
      lineCode(field),
      set(field, ""),
      `The ${name} was added after signing, or not signed.`,
      "Put it into the string to sign, in its place.",
    );
    const encoded = encodeURIComponent(value);
    if (encoded !== value) {
      yield variant(
        lineCode(field),
        set(field, encoded),
        `The ${name} was signed percent-encoded; the decoded text is signed.`,
        "Sign values as they are before they are encoded for the URL.",
      );
    }
  }
}

function letterOrders(letters: string): ReadonlySet<string> {
  const by = (order: string): string => [...letters].sort((a, b) => order.indexOf(a) - order.indexOf(b)).join("");
  const orders = ["racwdxltmeopiyf", "racwdxyltmeopi", "rtacwdlmeop", "rwdxftlacupiy", "racwdl"].map(by);
  const all = new Set([...orders, [...letters].sort().join(""), [...letters].reverse().join("")]);
  if (letters.length <= 4) for (const order of permutations(letters)) all.add(order);
  all.delete(letters);
  return all;
}

/** What the permissions may have been: some of what they are, or what is usual. */
function otherLetters(letters: string): ReadonlySet<string> {
  let all = [""];
  if (letters.length <= MAX_LETTERS) for (const letter of letters) all = all.flatMap((some) => [some, some + letter]);
  const others = new Set([...all, ..."r w c d l a rl rw cw rcw racw racwd racwdl".split(" ")]);
  others.delete("");
  others.delete(letters);
  return others;
}

const MAX_LETTERS = 8;

/** Ends that are a usual life away, in the form of this one. */
function movedTimes(value: string): readonly string[] {
  const end = parseAzureTime(value)?.getTime();
  if (end === undefined) return [];
  const texts = USUAL_LIVES.flatMap((life) => [end - life * 1000, end + life * 1000]).map((time) =>
    new Date(time).toISOString(),
  );
  if (value.includes(".")) return texts;
  return texts.map((text) => `${text.slice(0, value.replace(/Z$/, "").length)}${value.endsWith("Z") ? "Z" : ""}`);
}

function permutations(letters: string): readonly string[] {
  if (letters.length < 2) return [letters];
  return [...letters].flatMap((letter, i) =>
    permutations(letters.slice(0, i) + letters.slice(i + 1)).map((rest) => letter + rest),
  );
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

function* resourceVariants(input: AzureInput, { location, values: url }: AzureUrl): Generator<Variant<AzureInput>> {
  if (location === undefined || input.kind.name === "account") return;
  const { account, container = "", blob = "" } = location;
  const right = input.values.get("RESOURCE") ?? "";
  const withResource = (resource: string, sr = url.get("sr") ?? ""): AzureInput => ({
    ...input,
    values: new Map([...input.values, ["RESOURCE", resource], ["sr", sr]]),
  });
  const candidates: readonly (readonly [what: string, resource: string, sr?: string])[] = [
    ["without /blob in front, as before 2015-02-21", right.replace(/^\/blob/, "")],
    ["with the account twice, as Azurite's path has it", right.replace(`/${account}/`, `/${account}/${account}/`)],
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
  for (const [what, resource, sr] of candidates) {
    if (resource === right && sr === undefined) continue;
    const fix =
      "Sign /blob/account/container/name: the name decoded, without the account's -secondary, and with the sr that it is for.";
    yield variant(
      "PATH",
      withResource(resource, sr),
      `The resource was signed differently: ${what} (${resource}).`,
      fix,
    );
  }
}

/** Versions that SDKs have signed since user delegation came. */
const VERSIONS: readonly string[] = [
  ...["2018-11-09", "2019-02-02", "2019-07-07", "2019-10-10", "2019-12-12", "2020-02-10", "2020-04-08", "2020-06-12"],
  ...["2020-08-04", "2020-10-02", "2020-12-06", "2021-02-12", "2021-04-10", "2021-06-08", "2021-08-06", "2021-10-04"],
  ...["2021-12-02", "2022-11-02", "2023-01-03", "2023-05-03", "2023-08-03", "2023-11-03", "2024-02-04", "2024-05-04"],
  ...["2024-08-04", "2024-11-04", "2025-01-05", "2025-05-05", "2025-07-05", "2025-11-05", "2026-02-06", "2026-04-06"],
];

function* layoutVariants(input: AzureInput): Generator<Variant<AzureInput>> {
  const { kind, fields } = input;
  if (fields.at(-1) === "END") {
    yield variant(
      "VERSION",
      { ...input, fields: fields.slice(0, -1) },
      "The line feed at the end of an account SAS was not signed.",
      "End the string to sign with a line feed.",
    );
  }
  for (const [since, other] of layoutsOf(kind)) {
    if (other.join() === fields.join()) continue;
    yield variant(
      "VERSION",
      { ...input, fields: other },
      `The fields of ${since} were signed, and the URL says sv=${input.values.get("sv")}.`,
      "Sign the fields of the version that the URL names.",
    );
  }
  const sv = input.values.get("sv") ?? "";
  for (const other of VERSIONS) {
    if (other === sv || !hasVersion(kind, other)) continue;
    yield variant(
      "VERSION",
      { ...input, fields: fieldsOf(kind, other), values: new Map([...input.values, ["sv", other]]) },
      `The version was changed after signing: sv was ${other}, and is ${sv}.`,
      "The version is signed: give the one that the server knows to the signer (version: …).",
    );
  }
  const ended = { ...input, fields: [...fields, "END"] };
  yield variant(
    "VERSION",
    ended,
    "A line feed was signed after the last field.",
    "Join the fields by line feeds, without one at the end.",
  );
}
