import { hmacSha256 } from "#crypto";
import { parseBasicTime } from "../../core/time.ts";
import { AWS4, type CredentialScope, type V4Family } from "../../core/v4.ts";
import { GOOG4_HMAC, GOOG4_RSA } from "../../schemes/gcs/canonical.ts";
import { OWN_FIELDS as GCS_OWN, parseGcsForm } from "../../schemes/gcs/form/verify.ts";
import { formV2Signature, parseS3FormV2, OWN_FIELDS as V2_OWN } from "../../schemes/s3/form/v2/parse.ts";
import { parseS3Form, OWN_FIELDS as S3_OWN } from "../../schemes/s3/form/verify.ts";
import { fromHex, macBase64 } from "../../wire/encoding.ts";
import { amazonBucket, amazonHost } from "../amazon-host.ts";
import type { SplitUrl } from "../explainer.ts";
import type { ExplainKey } from "../explanation.ts";
import { googleBucket } from "../gcs/facts.ts";
import { gcsExplainKeys } from "../gcs/keys.ts";
import { SIGV4 } from "../s3/explainer.ts";
import { isS3Credentials } from "../s3/facts.ts";
import type { V4Scoping } from "../v4/input.ts";
import { scopeHmacs } from "../v4/input.ts";
import type { FormInput } from "./variants.ts";

/** The values of the signature's own fields, without validation. */
export interface FormFacts {
  readonly keyId: string;
  readonly signature: string;
  readonly scope: CredentialScope;
  readonly signedAt: Date | undefined;
  readonly token: string | undefined;
}

/** A key that can have signed. */
export interface FormKey {
  readonly id: string;
  /** Empty for a key pair. */
  readonly secret: string;
  fits(input: FormInput): boolean | Promise<boolean>;
}

/** One kind of signed form. */
export interface FormKind {
  readonly scheme: "s3/form" | "s3/form/v2" | "gcs/form";
  /** Its name, as the beginning of a sentence. */
  readonly what: string;
  readonly provider: string;
  /** The fields of its signature, from the verifier. */
  readonly own: RegExp;
  /** Fields that identify this kind. */
  readonly markers: RegExp;
  /** Fields that need no condition. */
  readonly exempt: RegExp;
  /** `undefined` if a key signs for every region. */
  readonly scoping: V4Scoping | undefined;
  facts(values: ReadonlyMap<string, string>): FormFacts;
  /** Reads with the verifier's reader. Throws its error. */
  checkGrammar(values: ReadonlyMap<string, string>): void;
  keys(keys: readonly ExplainKey[], values: ReadonlyMap<string, string>): readonly FormKey[];
  /** The bucket in a host. */
  bucketOf(authority: string): string | undefined;
  /** Whether a host is the provider's own, so that the place of the bucket is known. */
  isOwnHost(authority: string): boolean;
}

const NO_SCOPE: CredentialScope = { date: "", region: "", service: "" };

function v4Facts(values: ReadonlyMap<string, string>, prefix: "x-amz-" | "x-goog-"): FormFacts {
  const get = (name: string): string => values.get(prefix + name) ?? "";
  const parts = get("credential").split("/");
  const [date = "", region = "", service = ""] = parts.splice(-4);
  return {
    keyId: parts.join("/"),
    signature: get("signature"),
    scope: { date, region, service },
    signedAt: parseBasicTime(get("date")),
    token: values.get("x-amz-security-token"),
  };
}

function isHmac(values: ReadonlyMap<string, string>): boolean {
  return values.get("x-goog-algorithm") === GOOG4_HMAC.algorithm;
}

const isAmazon = (authority: string): boolean => amazonHost(authority) !== undefined;

/** The given access keys. Each search has a separate signer, because signers remember their last result. */
function s3Keys(signer: () => (input: FormInput) => string): FormKind["keys"] {
  return (keys) => {
    const signatureOf = signer();
    return keys.filter(isS3Credentials).map(({ accessKeyId: id, secretAccessKey: secret }) => ({
      id,
      secret,
      fits: (input) => input.signature === signatureOf(input),
    }));
  };
}

/** The signature of a policy with the key derived from a secret, or with the secret itself. */
function policySignatures(family: V4Family): (input: FormInput) => string {
  const hmacOf = scopeHmacs(family);
  return ({ secret, keyScope, policy, isDerived }) =>
    (isDerived ? hmacOf(secret, keyScope) : hmacSha256(secret)).hex(policy);
}

/** All kinds of forms. */
export const formKinds: readonly FormKind[] = [
  {
    scheme: "s3/form",
    what: "An S3 upload form (POST policy, Signature Version 4)",
    provider: "S3",
    own: S3_OWN,
    markers: /^x-amz-(?:algorithm|credential|signature)$/,
    exempt: /^x-amz-signature$/,
    scoping: SIGV4.dialect,
    facts: (values) => v4Facts(values, "x-amz-"),
    checkGrammar: parseS3Form,
    keys: s3Keys(() => policySignatures(AWS4)),
    bucketOf: amazonBucket,
    isOwnHost: isAmazon,
  },
  {
    scheme: "s3/form/v2",
    what: "An S3 upload form (POST policy) in the legacy Signature Version 2",
    provider: "S3",
    own: V2_OWN,
    markers: /^awsaccesskeyid$/,
    exempt: /^(?:awsaccesskeyid|signature)$/,
    scoping: undefined,
    facts: (values) => ({
      keyId: values.get("awsaccesskeyid") ?? "",
      signature: values.get("signature") ?? "",
      scope: NO_SCOPE,
      signedAt: undefined,
      token: values.get("x-amz-security-token"),
    }),
    checkGrammar: parseS3FormV2,
    keys: s3Keys(
      () =>
        ({ secret, policy, isDerived }) =>
          isDerived ? formV2Signature(secret, policy) : macBase64(hmacSha256(secret).base64url(policy)),
    ),
    bucketOf: amazonBucket,
    isOwnHost: isAmazon,
  },
  {
    scheme: "gcs/form",
    what: "A Cloud Storage upload form (policy document, V4)",
    provider: "Cloud Storage",
    own: GCS_OWN,
    markers: /^x-goog-(?:algorithm|credential|signature)$/,
    exempt: /^x-goog-signature$/,
    scoping: { prefix: "X-Goog-", regions: ["auto", "us", "eu", "us-central1", ""], services: ["storage", "s3"] },
    facts: (values) => v4Facts(values, "x-goog-"),
    checkGrammar: (values) => parseGcsForm(values, isHmac(values) ? GOOG4_HMAC : GOOG4_RSA),
    keys(keys, values) {
      const signatureOf = policySignatures(GOOG4_HMAC);
      return gcsExplainKeys(keys, isHmac(values) ? "hmac" : "account").map((key) => {
        if ("verify" in key) {
          const fits = async ({ policy, signature }: FormInput): Promise<boolean> => {
            const bytes = fromHex(signature);
            return bytes !== undefined && key.verify(policy, bytes);
          };
          return { id: key.id, secret: "", fits };
        }
        const { id, secret } = key;
        return { id, secret, fits: (input) => signatureOf(input) === input.signature };
      });
    },
    bucketOf: googleBucket,
    isOwnHost: (authority) => /(?:^|\.)storage\.googleapis\.com$/.test(authority),
  },
];

/** The bucket that a form is posted to. `undefined` if the URL names none. */
export function bucketOfUrl(kind: FormKind, { authority, wire }: SplitUrl): string | undefined {
  const named = kind.bucketOf(authority);
  if (named !== undefined) return named;
  const [first = ""] = wire.path.slice(1).split("/", 1);
  return first === "" ? undefined : first;
}
