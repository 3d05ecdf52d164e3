import { hmacSha1 } from "#crypto";
import { base64, fromBase64 } from "../encode.ts";
import { isDaypassError } from "../errors.ts";
import { gcsV2StringToSign, isSubresource } from "../gcs/v2/canonical.ts";
import { detectGcsV2, parseGcsV2 } from "../gcs/v2/parse.ts";
import { parseEpoch } from "../validity.ts";
import type { Diagnosis, Explained, Explainer, Subject } from "./explainer.ts";
import type { Cause, CauseCode, Trap } from "./explanation.ts";
import { gcsCause } from "./gcs-cause.ts";
import { gcsResource, gcsTraps, googleBucket } from "./gcs-facts.ts";
import { type GcsExplainKey, gcsExplainKeys } from "./gcs-keys.ts";
import { type GcsV2Input, gcsV2Input, gcsV2Variants } from "./gcs-v2-variants.ts";
import { spellings } from "./s3-facts.ts";
import { isMismatch } from "./server-cause.ts";
import { readParameters, urlTraps } from "./traps.ts";
import { signedOtherwise } from "./v4-diagnosis.ts";
import { searchAsync } from "./variants.ts";

/** Google Cloud Storage signed URLs in the legacy V2. */
export const gcsV2Explainer: Explainer = {
  detects: (request) => detectGcsV2(request) !== undefined,
  explain: explainGcsV2,
};

interface Facts {
  readonly keyId: string;
  readonly isHmac: boolean;
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
    isHmac: detectGcsV2({ ...sent, target: `/?${url.wire.query}` }) === "hmac",
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
  const { endsAt, isHmac, keyId } = facts;
  const key = gcsExplainKeys(subject.keys, !isHmac).find(({ id }) => id === keyId);
  const input = gcsV2Input(subject, facts.expires, key !== undefined && "secret" in key ? key.secret : "");
  const { cause, hypotheses, method } = await diagnose(subject, facts, input, key);
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
      mayEndEarlier: isHmac
        ? "when the HMAC key is deactivated or its account loses the permission"
        : "when the account's key is deleted or the account loses the permission; signed through IAM's signBlob, after 12 hours, for which Google keeps its key at least",
      mustSend: [],
      traps: [
        ...urlTraps(url).filter(({ name }) => name !== "host-port"),
        ...gcsTraps(url).filter(({ name }) => name !== "header-in-query"),
        ...v2Traps(facts, subject.now),
      ],
      cause,
      hypotheses,
      stringToSign: key === undefined ? undefined : gcsV2StringToSign(input),
    },
    hidden: spellings(facts.signature),
  };
}

async function diagnose(
  subject: Subject,
  facts: Facts,
  input: GcsV2Input,
  key: GcsExplainKey | undefined,
): Promise<Diagnosis> {
  const { error, now } = subject;
  const said = error === undefined || isMismatch(error) ? undefined : gcsCause(error, now);
  if (said !== undefined) return { cause: said };
  const malformed = grammarCause(subject);
  if (malformed !== undefined) return { cause: malformed };
  const signature = await checkSignature(subject, facts, input, key);
  const ended = error === undefined ? endCause(facts, now) : undefined;
  return { ...signature, cause: ended ?? signature.cause };
}

function grammarCause({ sent, sentUrl }: Subject): Cause | undefined {
  const hostBucket = googleBucket(sent.authority) ?? "";
  const allowUnsigned: ReadonlySet<string> = new Set(readParameters(sentUrl).map(([name]) => name));
  try {
    parseGcsV2({ request: sent, wire: sentUrl.wire, origin: "", wildcard: "" }, { hostBucket, allowUnsigned });
    return undefined;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    const known = (["UNSIGNED_HEADER", "AMBIGUOUS_AUTHENTICATION"] as const).find((code) => code === error.code);
    return {
      code: known ?? "MALFORMED",
      sentence: `The request is refused before its signature is looked at: ${error.message}.`,
      evidence: [],
      fix: "Pass the URL on byte for byte as it was made (a + in the signature travels as %2B); quote it in a shell.",
    };
  }
}

function endCause({ endsAt }: Facts, now: Date): Cause | undefined {
  if (endsAt === undefined || now.getTime() < endsAt.getTime()) return undefined;
  return {
    code: "EXPIRED",
    sentence: `The URL has expired: it ended at ${endsAt.toISOString()}.`,
    evidence: [`now ${now.toISOString()}`],
    fix: "Ask for a new URL.",
  };
}

async function checkSignature(
  subject: Subject,
  facts: Facts,
  input: GcsV2Input,
  key: GcsExplainKey | undefined,
): Promise<Diagnosis> {
  const theirs = subject.error?.fields.get("StringToSign");
  const shown = theirs === undefined ? undefined : compareTexts(gcsV2StringToSign(input), theirs);
  if (key === undefined) {
    if (shown !== undefined || subject.keys.length === 0) return { cause: shown };
    const others = gcsExplainKeys(subject.keys, !facts.isHmac).map(({ id }) => id);
    const sentence = `The URL was signed by ${facts.keyId}, and the given keys are ${others.join(", ") || "of another kind"}.`;
    return { cause: { code: "UNKNOWN_KEY", sentence, evidence: [], fix: "Give the key that signed." } };
  }
  const fits = (tried: GcsV2Input): Promise<boolean> => fitsV2(key, tried, facts.signature);
  if (await fits(input)) return { method: input.method, cause: shown };
  const { cause, hypotheses } = await searchAsync(input, gcsV2Variants(subject), fits, "signed");
  if (cause !== undefined) return signedOtherwise(subject, cause, { hypotheses, method: input.method });
  return {
    hypotheses,
    cause: shown ?? {
      code: "WRONG_SECRET",
      sentence: `The URL was signed with another key than the given one of ${facts.keyId}, or changed in a way that is not among the usual ones.`,
      evidence: [`No variant fits: ${hypotheses.map(({ code, tried }) => `${code} ${tried}`).join(", ")}.`],
      fix: "Compare the key that the signer uses with the given one; an account can have several.",
    },
  };
}

async function fitsV2(key: GcsExplainKey, input: GcsV2Input, signature: string): Promise<boolean> {
  const text = gcsV2StringToSign(input);
  if ("secret" in key) return base64(hmacSha1(input.secret, text)) === signature;
  return key.verify(text, fromBase64(signature) ?? new Uint8Array());
}

/** Which line of the server's string to sign is another one. */
function compareTexts(ours: string, theirs: string): Cause | undefined {
  const [a, b] = [ours.split("\n"), theirs.split("\n")];
  const names = ["method", "header content-md5", "header content-type", "end"];
  const codes: readonly CauseCode[] = ["METHOD", "HEADER", "HEADER", "TIME"];
  const count = Math.max(a.length, b.length);
  for (let i = 0; i < count; i++) {
    const [line, other] = i < 4 ? [a[i], b[i]] : [a.slice(4).join("\n"), b.slice(4).join("\n")];
    if (line === other) continue;
    const [last, otherLast] = [a.at(-1), b.at(-1)];
    const what = names[i] ?? (last === otherLast ? "x-goog-* headers" : "resource");
    return {
      code: codes[i] ?? (last === otherLast ? "HEADER" : "PATH"),
      sentence: `The ${what} differs: the URL implies ${JSON.stringify(line ?? "")}, and the server saw ${JSON.stringify(other ?? "")}.`,
      evidence: [`the URL implies: ${line ?? ""}`, `the server saw: ${other ?? ""}`],
      fix:
        i === 0
          ? `Send the method that was signed: one method is signed, and no other.`
          : "Send what was signed: Content-Type, Content-MD5 and every x-goog-* header, and none where none was signed.",
    };
  }
  return {
    code: "WRONG_SECRET",
    sentence:
      "The key is wrong, or the URL was changed after signing: the server's string to sign is what the URL implies, and still the signatures differ.",
    evidence: [`The server saw the method ${b[0] ?? ""}: if that is not what was signed, it is the cause.`],
    fix: "Compare the URL with the one that was made, and the signer's key with those of the account. With the key given, explain finds the usual changes.",
  };
}

const SEVEN_DAYS = 604_800_000;

function v2Traps({ endsAt, expires, open }: Facts, now: Date): readonly Trap[] {
  const traps: Trap[] = [];
  const add = (name: string, text: string): void => void traps.push({ name, text });
  add(
    "gcs-v2",
    "V2 is legacy: host, scheme, the query and with it the response headers are open to whoever holds the URL.",
  );
  if (open.length > 0) add("open-parameters", `Nothing signs ${open.join(", ")}: whoever holds the URL can change it.`);
  const left = endsAt === undefined ? Number.NaN : endsAt.getTime() - now.getTime();
  if (left > SEVEN_DAYS) add("too-long-life", "It lives for more than seven days; V2 has no maximum.");
  if (left <= 0) add("expired", `It ended at ${endsAt?.toISOString() ?? ""}.`);
  if (/^\d{13,}$/.test(expires)) add("milliseconds", "Expires looks like milliseconds; it counts seconds.");
  return traps;
}
