import { GOOG4_HMAC, GOOG4_RSA, hostWithoutPort } from "../../schemes/gcs/canonical.ts";
import { detectGcs, parseGcs } from "../../schemes/gcs/parse.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { checkWhole, RSA_HEX } from "../cause/whole-signature.ts";
import type { Explainer, Subject } from "../explainer.ts";
import type { Trap } from "../explanation.ts";
import { PUBLIC_KEY } from "../search/work.ts";
import { explainV4 } from "../v4/explainer.ts";
import { type V4Dialect, v4Signatures } from "../v4/input.ts";
import type { V4Case, V4Facts, V4Findings, V4Key, V4Scheme } from "../v4/scheme.ts";
import { gcsCause } from "./cause.ts";
import { gcsResource, gcsSigner, gcsTraps, mayEndEarlier, SIGN_BLOB } from "./facts.ts";
import { type GcsKeyKind, gcsExplainKeys, v4Matcher } from "./keys.ts";

/** Cloud Storage signed URLs in V4. */
export const gcsExplainer: Explainer = {
  detects: (request) => detectGcs(request) !== undefined,
  explain: (subject) =>
    explainV4(subject, subject.url.wire.query.includes(`Algorithm=${GOOG4_HMAC.algorithm}`) ? HMAC : ACCOUNT),
};

const DIALECT: Omit<V4Dialect, "family" | "hasSecret"> = {
  name: "Cloud Storage",
  home: "storage.googleapis.com",
  prefix: "X-Goog-",
  optional: /^X-Goog-(?!(?:Algorithm|Credential|Date|Expires|SignedHeaders)$)/,
  lost: [],
  regions: ["auto", "us", "eu", "us-central1", ""],
  services: ["storage", "s3"],
  isRegional: true,
};

type Common = Pick<V4Scheme, "told" | "said" | "resource" | "signedHost" | "startsAt" | "traps" | "findings"> &
  Record<"scheme" | "open", string>;

const COMMON: Common = {
  scheme: "gcs",
  // A resumable upload begins with POST and no other method.
  told: ({ signedHeaders }) =>
    signedHeaders.includes("x-goog-resumable")
      ? { method: "POST", by: "the header x-goog-resumable begins an upload" }
      : undefined,
  said: gcsCause,
  findings: otherKind,
  resource: gcsResource,
  signedHost: hostWithoutPort,
  open: "scheme and port",
  // "Usable from 15 minutes before the active datetime".
  startsAt: (signedAt) => new Date(signedAt.getTime() - 900_000),
  traps: (url, facts, method) => [...gcsTraps(url), ...v4Traps(facts, method)],
};

const HMAC: V4Scheme = {
  ...COMMON,
  title: "A Cloud Storage signed URL (V4, an HMAC key)",
  dialect: { ...DIALECT, family: GOOG4_HMAC, hasSecret: true },
  digits: () => 64,
  checkGrammar: (received) => checkWhole("X-Goog-Signature", parseGcs(received, GOOG4_HMAC).signature, [64]),
  keys: (subject, facts) => keysOf("hmac", subject, facts),
  says: {
    what: "key",
    compare: "Compare the signer's key with the given one.",
    atServer: () => "the key was deleted or disabled at Google",
    checkServer: "Check the account's keys in the console",
  },
  mayEndEarlier: () => mayEndEarlier("hmac"),
};

const ACCOUNT: V4Scheme = {
  ...HMAC,
  title: "A Cloud Storage signed URL (V4, the RSA key of a service account)",
  dialect: { ...DIALECT, family: GOOG4_RSA, hasSecret: false },
  digits: ({ signature }) => RSA_HEX.find((length) => length >= signature.length) ?? 0,
  checkGrammar: (received) => checkWhole("X-Goog-Signature", parseGcs(received, GOOG4_RSA).signature, RSA_HEX),
  keys: (subject, facts) => keysOf("account", subject, facts),
  keyWork: PUBLIC_KEY,
  signer: gcsSigner("account"),
  says: {
    ...HMAC.says,
    compare:
      "Compare the signer's key with the given one; an account can have several, and deleting one invalidates its URLs.",
  },
  mayEndEarlier: ({ expires }) => `${mayEndEarlier("account")}${expires > 43_200 ? SIGN_BLOB : ""}`,
};

function keysOf(kind: GcsKeyKind, { keys }: Subject, { signature }: V4Facts): readonly V4Key[] {
  return gcsExplainKeys(keys, kind).map((key) => ({
    id: key.id,
    secret: "secret" in key ? key.secret : "",
    fits: v4Matcher(key, signature),
    signatureOf: kind === "hmac" ? v4Signatures(GOOG4_HMAC) : undefined,
  }));
}

/** All given keys are of other kinds. */
function otherKind({ scheme, subject, facts, signature }: V4Case): Partial<V4Findings> {
  if (signature.cause !== undefined || scheme.keys(subject, facts).length > 0 || subject.keys.length === 0) return {};
  const cause = causeOf(
    "UNKNOWN_KEY",
    `The URL was signed by ${facts.accessKeyId} with ${scheme.dialect.family.algorithm}, but none of the given keys is of that kind.`,
    "Give the account's key file or public key for RSA, accessKeyId and secretAccessKey for HMAC.",
  );
  return { signature: { cause } };
}

function v4Traps({ signedHeaders, expires }: V4Facts, method: string | undefined): readonly Trap[] {
  const traps: Trap[] = [];
  if (method === "POST" && !signedHeaders.includes("x-goog-resumable")) {
    const text =
      "Cloud Storage accepts a signed POST URL only to start a resumable upload: sign x-goog-resumable: start.";
    traps.push({ name: "post-without-resumable", text });
  }
  if (expires > 1e9) {
    const text =
      "X-Goog-Expires holds a point in time instead of a number of seconds: Google's Node library takes `expires` as a time, but V4 URLs hold a duration.";
    traps.push({ name: "instant-as-life", text });
  }
  return traps;
}
