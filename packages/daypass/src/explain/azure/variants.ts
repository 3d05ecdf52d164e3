import { layoutsOf, type SasKind } from "../../azure/layouts.ts";
import { decodeOr } from "../decoded.ts";
import type { CauseCode } from "../explanation.ts";
import { ENCODED_TWICE, LOST_PLUS, lostPluses, pathSpellings, type Variant } from "../search/variants.ts";
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
          `The permissions were signed as ${order} and stand in the URL as ${value}.`,
          "Put the same text into the URL that is signed, in Azure's order: racwdxltmeopiyf.",
        );
      }
    }
    for (const [what, other] of /^(?:st|se|skt|ske)$/.test(field) ? timeForms(value) : []) {
      yield variant(
        "TIME",
        set(field, other),
        `The ${name} was signed ${what} (${other}) and stands in the URL as ${value}.`,
        "Format a time once, and use the same text in the URL and in the string to sign.",
      );
    }
    if (value === "" || /^(?:sv|RESOURCE|ACCOUNT|END)$/.test(field)) continue;
    yield variant(
      lineCode(field),
      set(field, ""),
      `The ${name} was added after signing, or not signed.`,
      "Put it into the string to sign at its place.",
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
    yield variant("PATH", withResource(resource, sr), `The resource was signed otherwise: ${what} (${resource}).`, fix);
  }
}

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
  const ended = { ...input, fields: [...fields, "END"] };
  yield variant(
    "VERSION",
    ended,
    "A line feed was signed behind the last field.",
    "Join the fields by line feeds, without one at the end.",
  );
}
