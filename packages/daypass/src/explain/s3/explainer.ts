import type { EcdsaPublicKey } from "#crypto/ecdsa";
import { AWS4 } from "../../core/v4.ts";
import { checkSignatureForm, detectS3, hasExpressSession, parseS3 } from "../../schemes/s3/parse.ts";
import { AWS4A, signingPair } from "../../schemes/s3/v4a/canonical.ts";
import { detectS3V4a, parseS3V4a } from "../../schemes/s3/v4a/verify.ts";
import { fromHex } from "../../wire/encoding.ts";
import { checkWholeDer } from "../cause/whole-signature.ts";
import type { Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Trap } from "../explanation.ts";
import { PUBLIC_KEY } from "../search/work.ts";
import { s3Traps, trapsOf } from "../traps.ts";
import { explainV4 } from "../v4/explainer.ts";
import { v4Signatures, v4StringToSign } from "../v4/input.ts";
import type { V4Facts, V4Key, V4Scheme } from "../v4/scheme.ts";
import {
  isS3Credentials,
  methodOfOperation,
  s3Cause,
  s3Resource,
  TOKEN,
  tokenTraps,
  untilKeyEnds,
  uploadMark,
} from "./facts.ts";
import { s3Findings } from "./findings.ts";

/** Signature Version 4. */
export const SIGV4: V4Scheme = {
  scheme: "s3",
  title: "An S3 presigned URL (Signature Version 4)",
  dialect: {
    name: "S3",
    family: AWS4,
    prefix: "X-Amz-",
    optional: /^X-Amz-(?:Content-Sha256|S(?:ecurity|3session)-Token)$/,
    lost: [
      ...["GetObject", "PutObject", "DeleteObject", "HeadObject", "UploadPart"].map((id) => `x-id=${id}`),
      // SDKs for JavaScript add it to each download by default, and sort all parameters.
      "x-amz-checksum-mode=ENABLED",
      "x-amz-checksum-mode=ENABLED&x-id=GetObject",
    ],
    regions: ["us-east-1", "auto", "eu-west-1", "us-west-2", "garage", ""],
    services: ["s3", "s3express", "s3-object-lambda", "execute-api"],
    hasSecret: true,
    isRegional: true,
  },
  digits: () => 64,
  checkGrammar: (received) => checkSignatureForm(parseS3(received).signature),
  keys(subject, { signature }) {
    const signatureOf = v4Signatures(AWS4);
    return keysOf(subject, (input) => signatureOf(input) === signature, signatureOf);
  },
  told({ operation }) {
    const method = methodOfOperation(operation);
    return method === undefined ? undefined : { method, by: `x-id=${operation}` };
  },
  likely: uploadMark,
  says: {
    what: "secret",
    compare: "Compare the signer's secret with the server's; look for a rotated key.",
    atServer: ({ accessKeyId }) => `the server holds another secret for ${accessKeyId}`,
    checkServer: "Compare the server's secret with this one",
  },
  said: s3Cause,
  findings: s3Findings,
  resource: s3Resource,
  place: ({ region, regionSet = region }) => ` for ${regionSet === "*" ? "any region" : regionSet || "no region"}`,
  // DigitalOcean's CDN requests the object under the name of its store.
  signedHost: (authority) => authority.replace(/\.cdn(?=\.digitaloceanspaces\.com$)/, ""),
  open: "scheme",
  startsAt: (signedAt) => signedAt,
  mayEndEarlier: (facts, key) => (key?.expiration === undefined ? untilKeyEnds(facts) : undefined),
  traps: (url, facts) => [...s3Traps(url), ...tokenTraps(facts, TOKEN, "X-Amz-Expires"), ...ownTraps(url, facts)],
};

const EXPRESS: V4Scheme = {
  ...SIGV4,
  scheme: "s3/express",
  title: "A presigned URL for S3 Express One Zone (Signature Version 4)",
  dialect: { ...SIGV4.dialect, services: ["s3express", "s3"] },
  mayEndEarlier: (facts, key) =>
    key?.expiration === undefined && facts.token !== undefined
      ? "with its session, five minutes after the session was created, whatever the URL says"
      : SIGV4.mayEndEarlier(facts, key),
};

const V4A: V4Scheme = {
  ...SIGV4,
  scheme: "s3/v4a",
  title: "An S3 presigned URL (Signature Version 4A)",
  dialect: { ...SIGV4.dialect, family: AWS4A, isRegional: false },
  keyWork: PUBLIC_KEY,
  // DER states its own length.
  digits: () => undefined,
  checkGrammar: (received) => checkWholeDer("X-Amz-Signature", parseS3V4a(received).signature),
  keys(subject, { accessKeyId, signature }) {
    const bytes = fromHex(signature);
    // A search tries thousands of inputs with few secrets.
    const pairs = new Map<string, EcdsaPublicKey>();
    return keysOf(subject, async (input) => {
      const { secret: secretAccessKey } = input;
      const key = pairs.get(secretAccessKey) ?? signingPair({ accessKeyId, secretAccessKey }).publicKey;
      pairs.set(secretAccessKey, key);
      return bytes !== undefined && key.verify(v4StringToSign(input), bytes);
    });
  },
};

function keysOf({ keys }: Subject, fits: V4Key["fits"], signatureOf?: V4Key["signatureOf"]): readonly V4Key[] {
  return keys.filter(isS3Credentials).map((credentials) => {
    const { accessKeyId: id, secretAccessKey: secret } = credentials;
    return { id, secret, credentials, fits, signatureOf };
  });
}

/** S3 presigned URLs in Signature Version 4. */
export const s3Explainer: Explainer = { detects: detectS3, explain: (subject) => explainV4(subject, SIGV4) };

/** URLs for S3 Express One Zone, recognised by the session's token or by the service in the scope. */
export const s3ExpressExplainer: Explainer = {
  detects: (request) =>
    detectS3(request) && (hasExpressSession(request) || /(?:%2F|\/)s3express(?:%2F|\/)/i.test(request.target)),
  explain: (subject) => explainV4(subject, EXPRESS),
};

/** S3 presigned URLs in Signature Version 4A. */
export const s3V4aExplainer: Explainer = { detects: detectS3V4a, explain: (subject) => explainV4(subject, V4A) };

function ownTraps(url: SplitUrl, facts: V4Facts): readonly Trap[] {
  const { region, regionSet } = facts;
  return trapsOf([
    [
      regionSet === undefined && /(?:^|\.)s3\.amazonaws\.com$/.test(url.authority) && region !== "us-east-1",
      "global-endpoint",
      `The host is global but the signature is for ${region}: a new bucket answers with a redirect to another host, which breaks the signature. Use s3.${region}.amazonaws.com.`,
    ],
    [
      regionSet?.includes("*"),
      "region-pattern",
      `X-Amz-Region-Set is ${regionSet}: the URL is valid in every region that matches it, future ones included.`,
    ],
  ]);
}
