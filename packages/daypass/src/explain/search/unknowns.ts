import { UNSIGNED_PAYLOAD } from "../../schemes/s3/canonical.ts";
import { headerValues } from "../../wire/raw-target.ts";
import type { Subject } from "../explainer.ts";
import type { Cause, CauseCode, Hypothesis, MustSend } from "../explanation.ts";
import { isSecretHeader } from "../secrets.ts";
import type { Variant } from "./search.ts";
import { CONTENT_TYPES, METHODS } from "./variants.ts";

type Header = { readonly name: string; readonly values: readonly string[] };

/** The SHA-256 of an empty body. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Usual values of a header that is signed by name and whose sent value is unknown. */
function guesses(name: string, bodySha256: string | undefined): readonly string[] {
  if (name === "content-type") return CONTENT_TYPES.filter((type) => type !== "");
  if (/^x-(?:amz|goog|oss)-content-sha256$/.test(name)) {
    return [UNSIGNED_PAYLOAD, ...(bodySha256 === undefined ? [] : [bodySha256]), EMPTY_SHA256];
  }
  if (name === "x-amz-acl") return ["private", "public-read", "bucket-owner-full-control"];
  if (name === "x-amz-server-side-encryption") return ["AES256", "aws:kms"];
  if (name === "x-goog-resumable") return ["start"];
  return name === "if-none-match" ? ["*"] : [];
}

const MAX_HEADERS = 64;

/**
 * Possible requests if method or headers are unknown, the likeliest first; only the input if both are known. A fit among them
 * is a fact about the request, and no fault.
 */
export function completions<I extends { readonly method: string; readonly headers: readonly Header[] }>(
  input: I,
  { known, request }: Pick<Subject, "known" | "request">,
): readonly I[] {
  let lists: readonly (readonly Header[])[] = [input.headers];
  const open = known.headers ? [] : openHeaders(input.headers);
  for (const header of open) {
    const values = guesses(header.name, request?.bodySha256);
    const others = lists.flatMap((headers) =>
      values.map((value) =>
        headers.map((other) => (other === header ? { name: header.name, values: [value] } : other)),
      ),
    );
    if (lists.length + others.length <= MAX_HEADERS) lists = [...others, ...lists];
  }
  // A header of a body makes an upload likelier than a GET.
  const isUpload = input.method === "GET" && open.some(({ name }) => name.startsWith("content-"));
  const first = isUpload && !known.method ? { ...input, method: "PUT" } : input;
  return withMethods(first, known).flatMap((other) => lists.map((headers) => ({ ...other, headers })));
}

/** The input with every possible method. */
export function withMethods<I extends { readonly method: string }>(input: I, known: Subject["known"]): readonly I[] {
  if (known.method) return [input];
  return [input, ...METHODS.filter((method) => method !== input.method).map((method) => ({ ...input, method }))];
}

/**
 * The inputs, and each input with a body again with every usual Content-Type, if the sent headers are unknown. A fit among them
 * is a fact about the request, and no fault.
 */
export function withTypes<I extends { readonly method: string }>(
  inputs: readonly I[],
  { headers }: Subject["known"],
  withType: (input: I, contentType: string) => I,
  types: readonly string[] = CONTENT_TYPES,
): readonly I[] {
  if (headers) return inputs;
  const bodies = inputs.filter(({ method }) => inputs.length === 1 || /^(?:GET|PUT|POST)$/.test(method));
  const told = new Set(types.filter((type) => type !== ""));
  return [...inputs, ...bodies.flatMap((input) => [...told].map((type) => withType(input, type)))];
}

/** The subject with the method and headers that the server's own text has shown. */
export function learntFrom(
  subject: Subject,
  { method, headers = [] }: { readonly method: string; readonly headers?: readonly Header[] | undefined },
): Subject {
  const { sent } = subject;
  const learnt = headers.flatMap(({ name, values }) =>
    name === "host" || headerValues(sent.headers, name).length > 0 ? [] : values.map((value) => [name, value] as const),
  );
  return {
    ...subject,
    sent: { ...sent, method, headers: [...sent.headers, ...learnt] },
    known: { method: true, headers: true },
  };
}

/** Unnamed signed headers that a key has shown, as headers that the holder must send. */
export function shownHeaders(headers: readonly Header[]): readonly MustSend[] {
  return headers.map(({ name, values }) => ({ name, value: isSecretHeader(name) ? undefined : values.join(",") }));
}

/** Signed headers whose value is unknown. */
export function openHeaders(headers: readonly Header[]): readonly Header[] {
  return headers.filter(({ name, values }) => name !== "host" && values.length === 0);
}

/** Whether clients send a header with every body, so that a list of sent headers can lack it. */
export function isSentAnyway(name: string): boolean {
  return name === "content-length";
}

/**
 * The value of a signed header is unknown, so a key that fits nothing can still be right.
 *
 * @param wrong the cause if all values were known
 */
export function untried(
  { known }: Pick<Subject, "known">,
  headers: readonly Header[],
  wrong: Cause,
): Cause | undefined {
  const open = openHeaders(headers).filter(({ name }) => !known.headers || isSentAnyway(name));
  if (open.length === 0) return undefined;
  if (open.some(({ name }) => guesses(name, undefined).length === 0)) return untold(open, wrong);
  const names = namesOf(open);
  return {
    code: "HEADER",
    sentence: `The URL was signed with the header ${names}, and no usual value gives its signature with the key: another value was signed, or the URL was changed or signed with a different secret.`,
    evidence: wrong.evidence,
    fix: `Run explain again with ${names} as it was sent (--header, request.headers). ${wrong.fix}`,
  };
}

/** The values of signed headers are unknown and cannot be guessed. */
export function untold(headers: readonly Header[], wrong?: Cause): Cause {
  const names = namesOf(headers);
  return {
    code: "HEADER",
    sentence: `The URL was signed with the header ${names}, whose value was not given: without it the key cannot be tried.`,
    evidence: wrong?.evidence ?? [],
    fix: `Run explain again with ${names} as it was sent (--header, request.headers).${wrong === undefined ? "" : ` ${wrong.fix}`}`,
  };
}

/**
 * The signed headers were sent, and the key does not fit with them: another value or another key signed. `undefined` if none
 * was sent.
 */
export function otherValue(headers: readonly Header[], wrong: Cause): Cause | undefined {
  const sent = headers.filter(({ name, values }) => name !== "host" && values.length > 0);
  if (sent.length === 0) return undefined;
  const names = namesOf(sent);
  return {
    code: "HEADER",
    sentence: `The signature covers the header ${names}, and the key does not give it for the value that was sent: most likely another value was signed. Or the URL was changed, or signed with a different key.`,
    evidence: wrong.evidence,
    fix: `Send ${names} with exactly the value that was signed. ${wrong.fix}`,
  };
}

function namesOf(headers: readonly Header[]): string {
  return headers.map(({ name }) => name).join(", ");
}

/** The hypotheses, and the methods that were tried. */
export function withFacts(
  hypotheses: readonly Hypothesis[],
  inputs: readonly { readonly method: string }[],
): readonly Hypothesis[] {
  const tried = new Set(inputs.map(({ method }) => method)).size - 1;
  if (tried === 0) return hypotheses;
  const sentence = `The URL was signed for another method than ${inputs[0]?.method}.`;
  return [...hypotheses, { code: "METHOD", tried, fits: false, sentence }];
}

/** Leaves out variants of unknown parts, which {@link completions} has tried already. */
export function ofKnown<I>(
  variantsOf: (input: I) => Iterable<Variant<I>>,
  { known, work }: Pick<Subject, "known" | "work">,
): (input: I) => Iterable<Variant<I>> {
  if (!work.searches) return () => [];
  const facts: readonly CauseCode[] = [
    ...(known.method ? [] : ["METHOD" as const]),
    ...(known.headers ? [] : ["HEADER" as const]),
  ];
  return function* (input) {
    for (const variant of variantsOf(input)) if (!facts.includes(variant.code)) yield variant;
  };
}
