import { GOOG4_HMAC, hostWithoutPort, UNSIGNED_PAYLOAD } from "../../schemes/gcs/canonical.ts";
import { parseGcs } from "../../schemes/gcs/parse.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { grammarCause } from "../cause/grammar.ts";
import { mixedKeys, noneFits, OTHER_HOST } from "../cause/keys.ts";
import { isMismatch } from "../cause/server-cause.ts";
import type { ToldMethod } from "../cause/undecided.ts";
import { checkWhole, RSA_HEX } from "../cause/whole-signature.ts";
import type { Diagnosis, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { checkV4, type V4Diagnosis } from "../v4/check.ts";
import { timeCause } from "../v4/diagnosis.ts";
import { firstCause } from "../v4/order.ts";
import { type V4Dialect, type V4Input, v4Input } from "../v4/variants.ts";
import { gcsCause } from "./cause.ts";
import { type GcsFacts, gcsSigner } from "./facts.ts";
import { gcsExplainKeys, keyKindOf, v4Matcher } from "./keys.ts";

function dialect({ family }: GcsFacts): V4Dialect {
  return {
    name: "Cloud Storage",
    family,
    home: "storage.googleapis.com",
    prefix: "X-Goog-",
    optional: /^X-Goog-(?!(?:Algorithm|Credential|Date|Expires|SignedHeaders)$)/,
    lost: [],
    regions: ["auto", "us", "eu", "us-central1", ""],
    services: ["storage", "s3"],
    hasSecret: family === GOOG4_HMAC,
    isRegional: true,
  };
}

/** What would be signed for the request as it was sent. */
export function gcsInput({ sent, sentUrl }: Subject, facts: GcsFacts, secret: string): V4Input {
  const values = (name: string): readonly string[] =>
    name === "host" ? [hostWithoutPort(sent.authority)] : headerValues(sent.headers, name);
  const isSigned = facts.signedHeaders.includes("x-goog-content-sha256");
  return v4Input({
    dialect: dialect(facts),
    method: sent.method,
    rawPath: sentUrl.wire.path,
    tokens: sentUrl.wire.tokens.filter(({ name }) => name !== "X-Goog-Signature"),
    headers: facts.signedHeaders.map((name) => ({ name, values: values(name) })),
    payload: (isSigned ? values("x-goog-content-sha256")[0] : undefined) ?? UNSIGNED_PAYLOAD,
    scope: { date: facts.date, region: facts.region, service: facts.service },
    time: facts.time,
    secret,
  });
}

/** Finds the cause, in the order of {@link firstCause}. */
export async function diagnoseGcs(subject: Subject, facts: GcsFacts, input: V4Input): Promise<Diagnosis> {
  const { error, now } = subject;
  const said = error === undefined || isMismatch(error) ? undefined : gcsCause(error, now);
  const signature = await checkSignature(subject, facts, input);
  const { isProven: _, ...rest } = signature;
  const cause = firstCause({
    subject,
    headers: input.headers,
    signature,
    said,
    malformed: readGrammar(subject, facts),
    late: timeCause(facts, now),
  });
  return { ...rest, cause };
}

function readGrammar({ sent, sentUrl }: Subject, { family, signature, expires }: GcsFacts): Cause | undefined {
  const isHmac = keyKindOf(family) === "hmac";
  const read = (): void => {
    parseGcs({ request: sent, wire: sentUrl.wire, origin: "", wildcard: "" }, family);
    checkWhole("X-Goog-Signature", signature, isHmac ? [64] : RSA_HEX);
  };
  const digits = isHmac ? 64 : (RSA_HEX.find((length) => length >= signature.length) ?? 0);
  return grammarCause(read, {
    refusesHeaders: true,
    life: expires,
    signature: { parameter: "X-Goog-Signature", text: signature, digits },
  });
}

async function checkSignature(subject: Subject, facts: GcsFacts, input: V4Input): Promise<V4Diagnosis> {
  const { family, keyId, signature } = facts;
  const kind = keyKindOf(family);
  const given = gcsExplainKeys(subject.keys, kind);
  const { url, sent } = subject;
  const meant = { ...subject, sentUrl: url, sent: { ...sent, authority: url.authority } };
  const found = await checkV4({
    subject,
    input,
    signed: gcsInput(meant, facts, ""),
    keyId,
    keys: given.map((key) => ({
      id: key.id,
      secret: "secret" in key ? key.secret : "",
      fits: v4Matcher(key, signature),
    })),
    told: facts.signedHeaders.includes("x-goog-resumable") ? RESUMABLE : undefined,
    signer: gcsSigner(kind),
    isWhole: /^[0-9a-f]{64,}$/i.test(signature),
    says: {
      otherId: (id) => mixedKeys(keyId, id),
      wrongKey: (tried) => ({
        code: "WRONG_SECRET",
        sentence: `The URL was signed with a different key than the one given for ${keyId}, or changed in a way that explain does not recognize.`,
        evidence: [noneFits(tried)],
        fix: `Compare the signer's key with the given one; an account can have several, and deleting one invalidates its URLs. ${OTHER_HOST}`,
      }),
      otherAtServer: () => ({
        code: "WRONG_SECRET",
        sentence:
          "The signature is right for this request and the given key: the key was deleted or disabled at Google, or a proxy changed the request before it arrived.",
        evidence: [],
        fix: "Check the account's keys in the console; then check the proxies between client and server.",
      }),
    },
  });
  if (found.isProven || given.length > 0 || subject.keys.length === 0) return found;
  return { isProven: true, cause: otherKind(facts) };
}

/** An upload begins so, and with no other method. What is sent afterwards goes to the address that it answers with. */
const RESUMABLE: ToldMethod = { method: "POST", by: "the header x-goog-resumable begins an upload" };

function otherKind({ family, keyId }: GcsFacts): Cause {
  return {
    code: "UNKNOWN_KEY",
    sentence: `The URL was signed by ${keyId} with ${family.algorithm}, but none of the given keys is of that kind.`,
    evidence: [],
    fix: "Give the account's key file or public key for RSA, accessKeyId and secretAccessKey for HMAC.",
  };
}
