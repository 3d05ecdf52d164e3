import { guess } from "../cause/combine-causes.ts";
import { mixedKeys, noneFits, OTHER_HOST, unknownKey } from "../cause/keys.ts";
import { isMismatch } from "../cause/server-cause.ts";
import { sentOtherwise, statedOtherwise, undecided } from "../cause/undecided.ts";
import { oneCharacterOff } from "../cause/whole-signature.ts";
import type { Subject } from "../explainer.ts";
import type { Cause, Hypothesis } from "../explanation.ts";
import { searchEach, withCutNote } from "../search/search.ts";
import { completions, ofKnown, otherValue, untried, withFacts } from "../search/unknowns.ts";
import type { Work } from "../search/work.ts";
import { compareCanonicalRequests, URL_AND_SERVER } from "./compare.ts";
import { changedOnTheWay, shownBy, v4Hints } from "./diagnosis.ts";
import { type V4Input, v4CanonicalRequest } from "./input.ts";
import { type V4Diagnosis, type V4Facts, type V4Key, type V4Scheme, v4InputOf } from "./scheme.ts";
import { v4Variants } from "./variants.ts";

interface V4Check {
  readonly scheme: V4Scheme;
  readonly subject: Subject;
  readonly facts: V4Facts;
  /** The signed input of the request as it was sent. */
  readonly input: V4Input;
  readonly keys: readonly V4Key[];
}

/** Finds what key, canonical request and string to sign show. */
export async function checkV4(check: V4Check): Promise<V4Diagnosis> {
  const { scheme, subject, facts, input, keys } = check;
  const work = subject.work.costing(scheme.keyWork ?? 0);
  const { url, sent } = subject;
  const meant = { ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } };
  const signed = v4InputOf(scheme, facts, meant);
  if (keys.length === 0) return withoutKey(check, signed);
  const own = keys.filter(({ id }) => id === facts.accessKeyId);
  const completed = ({ secret }: V4Key, from: V4Input): readonly V4Input[] => inputsFor(check, { ...from, secret });
  const tried = (own.length > 0 ? own : keys).map((key) => ({ key, inputs: completed(key, input) }));
  // A caller with several keys may have used the secret of another key.
  const mixed = own.length === 0 ? [] : keys.filter((other) => !own.includes(other));
  for (const key of [...tried.map((one) => one.key), ...mixed]) {
    const fitting = await firstFitting(work, key, completed(key, input));
    if (fitting !== undefined) return { ...matching(check, key, fitting), signer: key };
  }
  // The signed URL comes before the variants, so that a changed URL is reported as such.
  for (const { key } of subject.sentUrl === url ? [] : tried) {
    const fitting = await firstFitting(work, key, completed(key, signed));
    if (fitting !== undefined) return { ...changed(check, fitting), signer: key };
  }
  for (const { key, inputs } of tried) {
    const { signatureOf } = key;
    const off = signatureOf && (await oneCharacterOff(inputs, { signature: facts.signature, signatureOf }, work));
    if (off !== undefined) return { ...off, method: off.input.method, headers: off.input.headers, signer: key };
  }
  // A signature of another form cannot match any variant.
  const isWhole = /^[0-9a-f]{64,}$/i.test(facts.signature);
  const variantsOf = isWhole ? ofKnown(v4Variants(v4Hints(subject)), subject) : () => [];
  const searches = tried.map(({ key, inputs }) => ({ inputs, fits: (one: V4Input) => key.fits(one) }));
  const found = await searchEach(searches, { variantsOf, view: "signed", work });
  const hypotheses = withFacts(found.hypotheses, tried[found.index]?.inputs ?? []);
  if (found.cause !== undefined && found.input !== undefined) {
    const { method, headers } = found.input;
    const cause = withRest(check, found.cause, found.codes);
    return { cause, hypotheses, method, headers, signer: tried[found.index]?.key };
  }
  if (own.length === 0) {
    const given = keys.map(({ id }) => id);
    return { hypotheses, cause: unknownKey({ signedBy: facts.accessKeyId, given }) };
  }
  const shown = shownBy(subject, signed)?.cause;
  if (shown !== undefined) return { hypotheses, cause: shown };
  const isCut = found.isCut === true || !work.searches;
  return { keyFits: false, hypotheses, cause: withCutNote(unfitting(check, hypotheses), { isCut }) };
}

/** The inputs that may have been signed. The method that the URL states comes first. */
function inputsFor({ scheme, subject, facts }: V4Check, input: V4Input): readonly V4Input[] {
  const method = (subject.known.method ? undefined : scheme.told?.(facts)?.method) ?? input.method;
  return completions({ ...input, method }, subject).map((tried) => {
    // A signed hash header is also the payload line.
    const hash = tried.headers.find(({ name }) => /^x-(?:amz|goog)-content-sha256$/.test(name))?.values[0];
    return hash === undefined ? tried : { ...tried, payload: hash };
  });
}

async function firstFitting(work: Work, key: V4Key, inputs: readonly V4Input[]): Promise<V4Input | undefined> {
  for (const input of inputs) if (work.take() && (await key.fits(input))) return input;
  return undefined;
}

function withoutKey({ scheme, subject, facts, input }: V4Check, signed: V4Input): V4Diagnosis {
  const shown = shownBy(subject, signed);
  const told = scheme.told?.(facts);
  const proven =
    shown?.cause ??
    changedOnTheWay(signed, input) ??
    (subject.known.method ? statedOtherwise(subject.sent.method, told) : undefined);
  if (proven !== undefined) return { cause: proven };
  if (subject.error === undefined || !isMismatch(subject.error)) return {};
  const cause = undecided(subject, {
    told: told ?? scheme.likely?.(subject),
    signer: scheme.signer,
    headers: input.headers,
    isSame: shown !== undefined,
  });
  return { cause };
}

/** The key matches the signed URL, and another URL was sent. */
function changed({ subject, input }: V4Check, signed: V4Input): V4Diagnosis {
  const { method, headers } = signed;
  const sent = {
    ...input,
    method,
    headers: input.headers.map((header, i) => (header.name === "host" ? header : (headers[i] ?? header))),
  };
  const cause = changedOnTheWay(signed, sent) ?? shownBy(subject, signed)?.cause;
  return { method, headers, cause };
}

/** Adds the differences between the sent request and the server's that the found changes do not explain. */
function withRest({ subject, input }: V4Check, cause: Cause, except: readonly Cause["code"][]): Cause {
  const canonical = subject.error?.fields.get("CanonicalRequest");
  const sides = { ...URL_AND_SERVER, except };
  const rest = canonical && compareCanonicalRequests(v4CanonicalRequest(input), canonical, sides);
  if (!rest) return cause;
  const sentence = `${cause.sentence} Also: ${rest.sentence}`;
  return { ...cause, sentence, evidence: [...cause.evidence, ...rest.evidence] };
}

/** Key and request match the signature, so the difference is on the server's side. */
function matching({ scheme, subject, facts }: V4Check, { id }: V4Key, input: V4Input): V4Diagnosis {
  const { method, headers } = input;
  const { what, atServer, checkServer } = scheme.says;
  const result = { keyFits: true, method, headers };
  const { accessKeyId } = facts;
  if (id !== accessKeyId)
    return { ...result, cause: mixedKeys(what === "secret" ? `the key ${accessKeyId}` : accessKeyId, id, { what }) };
  if (subject.error === undefined || !isMismatch(subject.error)) return result;
  const right: Cause = {
    code: "WRONG_SECRET",
    sentence: `The signature is right for this request and the given ${what}: ${atServer(facts)}, or a proxy changed the request before it arrived.`,
    evidence: [`checked at ${subject.now.toISOString()}`],
    fix: `${checkServer}; then check the proxies between client and server.`,
  };
  const shown = shownBy(subject, input);
  if (shown !== undefined) return { ...result, cause: shown.cause ?? right };
  return { ...result, cause: guess(sentOtherwise(subject, input, right) ?? right) };
}

/** The key that the URL names matches nothing that was tried. */
function unfitting({ scheme, subject, facts, input }: V4Check, tried: readonly Hypothesis[]): Cause {
  const wrong: Cause = {
    code: "WRONG_SECRET",
    sentence: `The URL was signed with a different ${scheme.says.what} than the one given for ${facts.accessKeyId}, or changed in a way that explain does not recognize.`,
    evidence: [noneFits(tried)],
    fix: `${scheme.says.compare} ${OTHER_HOST}`,
  };
  return guess(untried(subject, input.headers, wrong) ?? otherValue(input.headers, wrong) ?? wrong);
}
