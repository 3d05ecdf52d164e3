import { hmacSha1 } from "#crypto";
import { parseEpoch } from "../../../core/validity.ts";
import { gcsV2StringToSign, isSubresource } from "../../../schemes/gcs/v2/canonical.ts";
import { detectGcsV2, parseGcsV2 } from "../../../schemes/gcs/v2/parse.ts";
import { base64, fromBase64 } from "../../../wire/encoding.ts";
import { type Case, type CaseKey, diagnose } from "../../cause/diagnosis.ts";
import { grammarCause } from "../../cause/grammar.ts";
import { compareTexts } from "../../cause/text-compare.ts";
import type { Undecided } from "../../cause/undecided.ts";
import { checkWhole, RSA_BASE64 } from "../../cause/whole-signature.ts";
import type { Explained, Explainer, Subject } from "../../explainer.ts";
import type { Cause, Trap } from "../../explanation.ts";
import { readParameters } from "../../parameters.ts";
import { otherValue, shownHeaders, withMethods, withTypes } from "../../search/unknowns.ts";
import { spellings } from "../../secrets.ts";
import { endTraps, urlTraps } from "../../traps.ts";
import { gcsCause } from "../cause.ts";
import { gcsResource, gcsSigner, gcsTraps, googleBucket } from "../facts.ts";
import { type GcsExplainKey, type GcsKeyKind, gcsExplainKeys } from "../keys.ts";
import { type GcsV2Input, gcsV2Input, gcsV2Variants } from "./variants.ts";

/** Google Cloud Storage signed URLs in the legacy V2. */
export const gcsV2Explainer: Explainer = {
  detects: (request) => detectGcsV2(request) !== undefined,
  explain: explainGcsV2,
};

interface Facts {
  readonly keyId: string;
  readonly kind: GcsKeyKind;
  readonly signature: string;
  readonly expires: string;
  readonly endsAt: Date | undefined;
  /** Parameters that the holder can change. */
  readonly open: readonly string[];
}

function readFacts({ url, sent }: Subject): Facts {
  const parameters = readParameters(url);
  const values = new Map(parameters);
  const expires = values.get("Expires") ?? "";
  return {
    keyId: values.get("GoogleAccessId") ?? "",
    kind: detectGcsV2({ ...sent, target: `/?${url.wire.query}` }) ?? "account",
    signature: values.get("Signature") ?? "",
    expires,
    endsAt: parseEpoch(expires),
    open: parameters
      .map(([name]) => name)
      .filter((name) => !isSubresource(name) && !/^(?:GoogleAccessId|Expires|Signature)$/.test(name)),
  };
}

async function explainGcsV2(subject: Subject): Promise<Explained> {
  const { url } = subject;
  const facts = readFacts(subject);
  const { endsAt, kind, keyId } = facts;
  const key = gcsExplainKeys(subject.keys, kind).find(({ id }) => id === keyId);
  const input = gcsV2Input(subject, facts.expires, key !== undefined && "secret" in key ? key.secret : "");
  const { cause, hypotheses, method, fitting } = await diagnose(subject, (from) => caseOf(from, facts));
  const resource = gcsResource(url);
  return {
    explanation: {
      scheme: "gcs/v2",
      summary: `A Cloud Storage signed URL in the legacy V2 for ${resource}, signed by ${keyId || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: keyId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: ["method", "bucket", "object", "end", "subresource", "headers content-md5, content-type and x-goog-*"],
      leavesOpen: [
        "scheme and host",
        "every query parameter but a subresource: generation and the response headers among them",
        "every other header, customer-supplied encryption keys among them",
        "body",
        "who uses it, from where, and how often",
      ],
      endsAt,
      mayEndEarlier:
        kind === "hmac"
          ? "when the HMAC key is deactivated or its account loses the permission"
          : "when the account's key is deleted or the account loses the permission; if signed through IAM's signBlob, possibly after 12 hours, the least that Google keeps its key",
      mustSend: fitting === undefined ? [] : shownHeaders(implied(fitting)),
      traps: [
        ...urlTraps(url).filter(({ name }) => name !== "host-port"),
        ...gcsTraps(url).filter(({ name }) => name !== "header-in-query"),
        ...v2Traps(facts, subject.now),
      ],
      cause,
      hypotheses,
      stringToSign: key === undefined ? undefined : gcsV2StringToSign(fitting ?? input),
    },
    hidden: spellings(facts.signature),
  };
}

interface Keyed extends GcsV2Input {
  readonly key?: GcsExplainKey | undefined;
}

/** Headers that an input has: all of them are signed, and none is named. */
function implied({ contentType, extensions }: GcsV2Input): Undecided["headers"] {
  return [...(contentType === "" ? [] : [{ name: "content-type", values: [contentType] }]), ...extensions];
}

function caseOf(subject: Subject, facts: Facts): Case<Keyed> {
  const { keyId, kind, signature, expires, endsAt } = facts;
  const { sent, error, now } = subject;
  const given = gcsExplainKeys(subject.keys, kind);
  const keys = given.map(
    (key): CaseKey<Keyed> => ({
      id: key.id,
      isNamed: key.id === keyId,
      put: (input) => ({ ...input, key, secret: "secret" in key ? key.secret : "" }),
    }),
  );
  return {
    subject,
    signedBy: keyId,
    keys: given.length === 0 && subject.keys.length > 0 ? [OTHER_KIND] : keys,
    inputFor: (url) => {
      const authority = url === subject.sentUrl ? sent.authority : url.authority;
      return gcsV2Input({ ...subject, sentUrl: url, sent: { ...sent, authority } }, expires, "");
    },
    textOf: gcsV2StringToSign,
    fits: async (input) => input.key !== undefined && (await fitsV2(input.key, input, signature)),
    variantsOf: gcsV2Variants(subject),
    unknowns: (input) =>
      withTypes(withMethods(input, subject.known), subject.known, (one, contentType) => ({ ...one, contentType })),
    implied,
    difference: compareTexts,
    shown: error?.fields.get("StringToSign"),
    signer: gcsSigner(kind),
    beside: (wrong) => headerCause(subject, wrong),
    said: (told) => gcsCause(told, now),
    grammar: readGrammar(subject, facts),
    times: { endsAt },
  };
}

/** The given keys are none that can have signed. */
const OTHER_KIND: CaseKey<Keyed> = { id: "of another kind", isNamed: false, put: (input) => input };

/** V2 signs every x-goog-* header, and the URL names none of them. */
function headerCause(subject: Subject, wrong: Cause): Cause | undefined {
  if (subject.known.headers) return otherValue(gcsV2Input(subject, "", "").extensions, wrong);
  return {
    code: "HEADER",
    sentence:
      "The key gives the signature of the URL for no usual request without x-goog-* headers: V2 signs each of them, with Content-Type and Content-MD5, and the URL shows none. Either a header was signed that was not given here, or the URL was changed, or signed with a different key.",
    evidence: wrong.evidence,
    fix: `Run explain again with the headers that were sent (--header, request.headers). ${wrong.fix}`,
  };
}

function readGrammar({ sent, sentUrl }: Subject, { kind, signature }: Facts): Cause | undefined {
  const hostBucket = googleBucket(sent.authority) ?? "";
  const allowUnsigned: ReadonlySet<string> = new Set(readParameters(sentUrl).map(([name]) => name));
  const received = { request: sent, wire: sentUrl.wire, origin: "", wildcard: "" };
  const read = (): void => {
    parseGcsV2(received, { hostBucket, allowUnsigned });
    checkWhole("Signature", signature, kind === "hmac" ? [28] : RSA_BASE64);
  };
  return grammarCause(read, { refusesHeaders: true });
}

async function fitsV2(key: GcsExplainKey, input: GcsV2Input, signature: string): Promise<boolean> {
  const text = gcsV2StringToSign(input);
  if ("secret" in key) return base64(hmacSha1(input.secret, text)) === signature;
  return key.verify(text, fromBase64(signature) ?? new Uint8Array());
}

function v2Traps({ endsAt, expires, open }: Facts, now: Date): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, text: string): void => void traps.push({ name, text });
  add(
    "gcs-v2",
    "V2 is legacy: host, scheme, the query and with it the response headers are open to whoever holds the URL.",
  );
  if (open.length > 0) add("open-parameters", `${open.join(", ")}: not signed, whoever holds the URL can change it.`);
  return [...traps, ...endTraps(endsAt, expires, now)];
}
