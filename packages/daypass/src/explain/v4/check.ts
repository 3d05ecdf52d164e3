import { unknownKey } from "../cause/keys.ts";
import { spellingCause } from "../cause/likely-changes.ts";
import { isMismatch } from "../cause/server-cause.ts";
import { type Signer, sentOtherwise, type ToldMethod, toldOtherwise, undecided } from "../cause/undecided.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause, Hypothesis } from "../explanation.ts";
import { type Found, searchEach, toldOfCut } from "../search/search.ts";
import { completions, ofKnown, otherValue, untried, withFacts } from "../search/unknowns.ts";
import { compareCanonicalRequests, URL_AND_SERVER } from "./compare.ts";
import { changedOnTheWay, shownBy, v4Hints } from "./diagnosis.ts";
import { type V4Input, v4CanonicalRequest, v4Variants } from "./variants.ts";

/** A key that may have signed. */
export interface V4Key {
  readonly id: string;
  /** Empty where the key is no secret but a key pair. */
  readonly secret: string;
  fits(input: V4Input): boolean | Promise<boolean>;
}

/** What the check of a V4 signature works on. */
export interface V4Check {
  readonly subject: Subject;
  /** What would be signed for the request as it was sent. */
  readonly input: V4Input;
  /** The same of the URL as it was given. */
  readonly signed: V4Input;
  /** Who signed, as the URL says. */
  readonly keyId: string;
  readonly keys: readonly V4Key[];
  readonly told?: ToldMethod | undefined;
  /** One for which something speaks. */
  readonly likely?: ToldMethod | undefined;
  readonly signer?: Signer | undefined;
  /** Whether the signature has the form of one. A search for what gives it would be in vain. */
  readonly isWhole: boolean;
  /** Whether `wrongKey` itself tells of the headers that are signed. */
  readonly wrongKeyTellsHeaders?: true;
  /** The provider's words. */
  readonly says: {
    /** Another key's id was found to have signed. */
    otherId(id: string): Cause;
    /** No given key fits. */
    wrongKey(tried: readonly Hypothesis[]): Cause;
    /** Key and request fit, and the server refuses all the same. */
    otherAtServer(): Cause;
  };
}

/** A diagnosis of a signature. */
export interface V4Diagnosis extends Diagnosis {
  /** Whether a key or the server's text has shown the cause. Otherwise it is the likeliest of several. */
  readonly isProven: boolean;
  /** The key that gave the signature. */
  readonly signer?: V4Key | undefined;
}

/** Finds what key, canonical request and string to sign show. */
export async function checkV4(check: V4Check): Promise<V4Diagnosis> {
  const { subject, input, signed, keyId, keys, isWhole } = check;
  if (keys.length === 0) return withoutKey(check);
  const own = keys.filter(({ id }) => id === keyId);
  const tried = (own.length > 0 ? own : keys).map((key) => ({
    key,
    inputs: completed(check, { ...input, secret: key.secret }),
  }));
  for (const { key, inputs } of tried) {
    const fitting = await firstFitting(key, inputs);
    if (fitting !== undefined) return { ...matching(check, key, fitting), signer: key };
  }
  // Whoever has several may have taken the secret of another one.
  for (const key of own.length === 0 ? [] : keys.filter((other) => !own.includes(other))) {
    const fitting = await firstFitting(key, completed(check, { ...input, secret: key.secret }));
    if (fitting !== undefined) return { ...matching(check, key, fitting), signer: key };
  }
  // The URL as it was given comes first, so that what was changed on the way is named as such.
  for (const { key } of subject.sentUrl === subject.url ? [] : tried) {
    const meant = await firstFitting(key, completed(check, { ...signed, secret: key.secret }));
    if (meant !== undefined) return { ...changed(check, meant), signer: key };
  }
  const variantsOf = isWhole ? ofKnown(v4Variants(v4Hints(subject)), subject) : () => [];
  const searches = tried.map(({ key, inputs }) => ({ inputs, fits: (one: V4Input) => key.fits(one) }));
  const found = await searchEach(searches, { variantsOf, view: "signed" });
  const hypotheses = withFacts(found.hypotheses, tried[found.index]?.inputs ?? []);
  if (found.cause !== undefined && found.input !== undefined)
    return { ...searched(check, { ...found, hypotheses }, found.input), signer: tried[found.index]?.key };
  if (own.length === 0)
    return { isProven: true, hypotheses, cause: unknownKey({ signedBy: keyId, given: keys.map(({ id }) => id) }) };
  const shown = shownBy(subject, signed)?.cause;
  if (shown !== undefined) return { isProven: true, hypotheses, cause: shown };
  return {
    isProven: false,
    hypotheses,
    cause: toldOfCut(unfitting(check, hypotheses), { isCut: found.isCut === true || !subject.searches }),
  };
}

/** The inputs that may have been signed, the one that the URL itself tells first. */
function completed({ subject, told }: V4Check, input: V4Input): readonly V4Input[] {
  const method = subject.known.method || told === undefined ? input.method : told.method;
  return completions({ ...input, method }, subject).map((tried) => {
    // The payload line is the value of the header, where that is signed.
    const hash = tried.headers.find(({ name }) => /^x-(?:amz|goog)-content-sha256$/.test(name))?.values[0];
    return hash === undefined ? tried : { ...tried, payload: hash };
  });
}

async function firstFitting(key: V4Key, inputs: readonly V4Input[]): Promise<V4Input | undefined> {
  for (const input of inputs) if (await key.fits(input)) return input;
  return undefined;
}

function withoutKey({ subject, input, signed, told, likely, signer }: V4Check): V4Diagnosis {
  const shown = shownBy(subject, signed);
  if (shown?.cause !== undefined) return { isProven: true, cause: shown.cause };
  const onTheWay = changedOnTheWay(signed, input);
  if (onTheWay !== undefined) return { isProven: true, cause: onTheWay };
  const otherMethod = subject.known.method ? toldOtherwise(subject.sent.method, told) : undefined;
  if (otherMethod !== undefined) return { isProven: true, cause: otherMethod };
  if (subject.error === undefined || !isMismatch(subject.error)) return { isProven: false };
  const { headers, tokens } = input;
  const notSigned = subject.sentUrl.wire.tokens.flatMap((token) => (tokens.includes(token) ? [] : [token.name]));
  const isSame = shown !== undefined;
  return {
    isProven: false,
    cause: undecided(subject, { told: told ?? likely, signer, headers, signsQuery: true, notSigned, isSame }),
  };
}

/** The signature is right for the URL that was given, and another one was sent. */
function changed({ subject, input }: V4Check, signed: V4Input): V4Diagnosis {
  const { method, headers } = signed;
  const sent = {
    ...input,
    method,
    headers: input.headers.map((header, i) => (header.name === "host" ? header : (headers[i] ?? header))),
  };
  const cause = changedOnTheWay(signed, sent) ?? shownBy(subject, signed)?.cause;
  return { isProven: true, method, headers, cause };
}

/**
 * One or two changes give the signature. What happened between client and server besides is named, too: how the server's request
 * differs from the one that was sent, and not from the one that was signed.
 */
function searched(
  { subject, input: sent }: V4Check,
  { cause, hypotheses, codes }: Found<V4Input>,
  input: V4Input,
): V4Diagnosis {
  const canonical = subject.error?.fields.get("CanonicalRequest");
  const rest =
    canonical === undefined || cause === undefined
      ? undefined
      : compareCanonicalRequests(v4CanonicalRequest(sent), canonical, {
          ...URL_AND_SERVER,
          except: codes,
        });
  const all =
    rest === undefined || cause === undefined
      ? cause
      : {
          ...cause,
          sentence: `${cause.sentence} Also: ${rest.sentence}`,
          evidence: [...cause.evidence, ...rest.evidence],
        };
  return { isProven: true, cause: all, hypotheses, method: input.method, headers: input.headers };
}

/** The signature fits the request and the key. Whatever the server says then, the difference is on its side. */
function matching(check: V4Check, { id }: V4Key, input: V4Input): V4Diagnosis {
  const { subject, keyId, says } = check;
  const { method, headers } = input;
  const result = { isProven: true, method, headers };
  if (id !== keyId) return { ...result, cause: says.otherId(id) };
  if (subject.error === undefined || !isMismatch(subject.error)) return result;
  const right = says.otherAtServer();
  const shown = shownBy(subject, input);
  if (shown !== undefined) return { ...result, cause: shown.cause ?? right };
  return { ...result, isProven: false, cause: spellingCause(subject) ?? sentOtherwise(subject, input, right) ?? right };
}

/** The key that the URL names gives its signature for nothing that was tried. */
function unfitting({ subject, input, says, wrongKeyTellsHeaders }: V4Check, hypotheses: readonly Hypothesis[]): Cause {
  const wrong = says.wrongKey(hypotheses);
  const open = untried(subject, input.headers, wrong);
  return open ?? (wrongKeyTellsHeaders === true ? undefined : otherValue(input.headers, wrong)) ?? wrong;
}
