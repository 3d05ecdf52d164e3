import type { CredentialScope } from "../../core/v4.ts";
import { escapeUnicode } from "../../forms/policy.ts";
import { base64, fromBase64, fromHex, hex, utf8 } from "../../wire/encoding.ts";
import { decodeOr } from "../decoded.ts";
import { memoizeLast } from "../search/memoize-last.ts";
import type { Variant } from "../search/search.ts";
import { changedLives } from "../search/usual-lives.ts";
import { secretVariants } from "../search/variants.ts";
import type { V4Scoping } from "../v4/input.ts";
import { scopeVariants } from "../v4/variants.ts";
import { documentOf, readPolicy } from "./policy.ts";

/** The input of a form's signature. */
export interface FormInput {
  readonly scoping: V4Scoping | undefined;
  readonly policy: string;
  readonly signature: string;
  readonly secret: string;
  /** The scope that the form names. */
  readonly scope: CredentialScope;
  /** The scope that the signing key was derived for. It differs only if the signer is wrong. */
  readonly keyScope: CredentialScope;
  /** Whether the signature uses the derived key (Version 2: HMAC-SHA1). */
  readonly isDerived: boolean;
}

/** The variants, the most frequent cause first. */
export function formVariants(signedAt: Date | undefined): (input: FormInput) => Generator<Variant<FormInput>> {
  const policiesOf = memoizeLast(
    ({ policy }: FormInput) => policy,
    ({ policy }) => [...spellingVariants(policy), ...documentVariants(policy), ...editedVariants(policy, signedAt)],
  );
  return function* (input) {
    if (input.secret !== "") yield* secretVariants(input, "form");
    yield* signatureVariants(input);
    const { scoping } = input;
    if (scoping !== undefined && input.secret !== "")
      yield* scopeVariants({ ...input, scoping, dialect: scoping }, "form");
    for (const variant of policiesOf(input)) yield { ...variant, input: { ...input, policy: variant.input } };
    if (input.isDerived && input.secret !== "") yield plainVariant(input);
  };
}

function* signatureVariants(input: FormInput): Generator<Variant<FormInput>> {
  const { signature } = input;
  const bytes = fromBase64(signature);
  const others: readonly (readonly [how: string, signature: string])[] = [
    ["in upper-case hexadecimal instead of lower case", signature.toLowerCase()],
    ["with a space instead of +", signature.replaceAll(" ", "+")],
    ["percent-encoded, which a form is not", decodeOr(signature)],
    ["in base64 instead of hexadecimal", bytes === undefined ? signature : hex(bytes)],
    ["in hexadecimal instead of base64", hexAsBase64(signature)],
  ];
  for (const [how, other] of others) {
    if (other === signature) continue;
    yield {
      code: "SIGNATURE",
      input: { ...input, signature: other },
      signed: `The signature is right and was sent in another spelling: ${how}.`,
      seen: `The server read the signature in another spelling: ${how}.`,
      fix: "Send the signature as it was made: a multipart form needs no encoding of its values.",
    };
  }
}

function hexAsBase64(text: string): string {
  const bytes = text === "" ? undefined : fromHex(text);
  return bytes === undefined ? text : base64(bytes);
}

/** The same document in other spellings of base64. */
function* spellingVariants(policy: string): Generator<Variant<string>> {
  const bare = policy.replace(/\s/g, "");
  const lines = (size: number, end: string): string => bare.replace(new RegExp(`.{${size}}`, "g"), `$&${end}`);
  const others: readonly (readonly [how: string, policy: string])[] = [
    ["without the spaces and line breaks that are in it now", bare],
    ["with + in place of its spaces", policy.replaceAll(" ", "+")],
    ["before it was percent-encoded", decodeOr(policy)],
    ["with a line break at its end", `${bare}\n`],
    ...[60, 64, 76].flatMap((size) =>
      ["\n", "\r\n"].flatMap((end): readonly (readonly [string, string])[] => [
        [`with line breaks, which are gone now`, lines(size, end)],
        [`with line breaks, which are gone now`, lines(size, end).replace(/\s+$/, "")],
        [`with line breaks, which are gone now`, `${lines(size, end).replace(/\s+$/, "")}${end}`],
      ]),
    ),
    ["in the standard alphabet, in place of - and _", bare.replaceAll("-", "+").replaceAll("_", "/")],
    ["in the URL's alphabet (- and _)", bare.replaceAll("+", "-").replaceAll("/", "_")],
    ["in the URL's alphabet (- and _), without =", bare.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")],
    ["without the = at its end", bare.replace(/=+$/, "")],
    ["with the = at its end, which are missing now", bare.padEnd(Math.ceil(bare.length / 4) * 4, "=")],
    ["encoded twice", base64(utf8(bare))],
  ];
  const tried = new Set([policy]);
  for (const [how, other] of others) {
    if (tried.has(other)) continue;
    tried.add(other);
    yield policyVariant(other, {
      signed: `The base64 of the policy was signed ${how}.`,
      fix: "Encode the policy once, in one line of standard base64, and sign and send this very text.",
    });
  }
}

/** The same conditions in other spellings of JSON. */
function* documentVariants(policy: string): Generator<Variant<string>> {
  const { text } = readPolicy(policy);
  if (text === undefined) return;
  const fix = "Keep the signed text: sign the base64 that is sent, and never parse and rewrite the policy.";
  yield policyVariant(text, { signed: "The policy's JSON was signed instead of its base64.", fix });
  const tried = new Set([text]);
  const document = documentOf(text);
  const turned = { expiration: document["expiration"], conditions: document["conditions"] };
  const back = { conditions: document["conditions"], expiration: document["expiration"] };
  const others = [
    ...[document, turned, back].flatMap((value) =>
      STYLES.flatMap(([, write]) => [write(value), escapeUnicode(write(value))]),
    ),
    text.replaceAll("\r\n", "\n"),
    text.replace(/\r?\n/g, "\r\n"),
    `${text}\n`,
    text.trim(),
  ];
  for (const other of others) {
    if (tried.has(other)) continue;
    tried.add(other);
    const signed = "The policy was rewritten after signing: the same conditions, but a different text.";
    yield policyVariant(base64(utf8(other)), { signed, fix });
  }
}

/** How programs write JSON. */
const STYLES: readonly (readonly [who: string, write: (value: unknown) => string])[] = [
  ["JavaScript, Go, PHP", (value) => JSON.stringify(value)],
  ["Python", (value) => spaced(value)],
  ["PHP", (value) => JSON.stringify(value).replaceAll("/", "\\/")],
  ["in lines", (value) => JSON.stringify(value, undefined, 2)],
  ["in lines", (value) => JSON.stringify(value, undefined, 4)],
];

/** The output of Python's `json.dumps`: a space after each comma and colon. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${spaced(item)}`);
  return `{${members.join(", ")}}`;
}

/** Earlier policies in the same style, which this one was edited from after signing. */
function* editedVariants(policy: string, signedAt: Date | undefined): Generator<Variant<string>> {
  const { text } = readPolicy(policy);
  const document = documentOf(text);
  const { conditions, expiration } = document;
  const write = STYLES.find(([, style]) => style(document) === text)?.[1];
  if (write === undefined || !Array.isArray(conditions)) return;
  const fix = "Put every condition into the policy before it is signed, and change none afterwards.";
  for (const condition of conditions) {
    const rest = { ...document, conditions: conditions.filter((other) => other !== condition) };
    const signed = `The condition ${JSON.stringify(condition)} was added to the policy after signing.`;
    yield policyVariant(base64(utf8(write(rest))), { signed, fix });
  }
  if (signedAt === undefined) return;
  // With and without milliseconds.
  for (const spell of [(end: string) => end, (end: string) => end.replace(/\.\d+/, "")]) {
    yield* changedLives({
      name: "expiration",
      now: String(expiration),
      signed: "form",
      ofLife: (seconds) => spell(new Date(signedAt.getTime() + seconds * 1000).toISOString()),
      withLife: (other) => base64(utf8(write({ ...document, expiration: other }))),
    });
  }
}

function policyVariant(
  policy: string,
  { signed, fix }: { readonly signed: string; readonly fix: string },
): Variant<string> {
  return { code: "POLICY", input: policy, signed, seen: signed, fix };
}

function plainVariant(input: FormInput): Variant<FormInput> {
  const signed =
    input.scoping === undefined
      ? "The policy was signed with HMAC-SHA256, but Signature Version 2 uses HMAC-SHA1."
      : "The policy was signed with the secret itself instead of the key derived from it.";
  return {
    code: "SIGNATURE",
    input: { ...input, isDerived: false },
    signed,
    seen: signed,
    fix:
      input.scoping === undefined
        ? "Sign with HMAC-SHA1, or in Signature Version 4."
        : "Derive the signing key from secret, date, region and service, step by step.",
  };
}
