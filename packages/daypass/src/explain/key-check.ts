import { pemPublicKey } from "#crypto/pem";
import { DaypassError, isDaypassError, refusal } from "../core/errors.ts";
import { unchecked } from "../core/unchecked.ts";
import { prepareKey } from "../schemes/azure/credentials.ts";
import { checkKeyPairId } from "../schemes/cloudfront/key.ts";
import { checkCredentials as checkCosKey } from "../schemes/cos/canonical.ts";
import { checkEmail } from "../schemes/gcs/credentials.ts";
import { checkCredentials as checkOssKey } from "../schemes/oss/credentials.ts";
import { checkCredentials as checkS3Key } from "../schemes/s3/credentials.ts";
import { loadKey as loadSwiftKey } from "../schemes/swift/key.ts";
import { loadKey as loadUrlKey } from "../schemes/url/key.ts";
import type { AzureExplainKey, CloudfrontExplainKey, ExplainKey } from "./explanation.ts";
import { type GcsAccountKey, gcsExplainKeys } from "./gcs/keys.ts";
import { explainers } from "./schemes.ts";

interface Kind {
  readonly scheme: string;
  /** One of these members identifies the kind, so that the error for an incomplete key names it. */
  readonly members: readonly string[];
  /** The verifier's check. */
  check(key: never): unknown;
}

/** The kinds of keys that do not name their scheme. */
const KINDS: readonly Kind[] = [
  { scheme: "url", members: ["kty", "kid"], check: loadUrlKey },
  { scheme: "azure", members: ["accountKey", "userDelegationKey"], check: checkAzureKey },
  { scheme: "gcs", members: ["client_email"], check: checkAccount },
  { scheme: "oss", members: ["accessKeySecret"], check: checkOssKey },
  { scheme: "cos", members: ["secretId", "secretKey"], check: checkCosKey },
  { scheme: "s3", members: ["accessKeyId", "secretAccessKey"], check: checkS3Key },
  { scheme: "cloudfront", members: ["keyPairId"], check: checkPublicKey },
  { scheme: "swift", members: ["key"], check: loadSwiftKey },
];

/**
 * Checks each key with the verifier of its scheme: an explanation must not call an invalid key a wrong one. Throws
 * `INVALID_KEY`, whose text contains nothing of the key.
 */
export function checkKeys(keys: readonly ExplainKey[]): void {
  if (!Array.isArray(keys)) throw refusal("INVALID_INPUT", "keys is not a list. Pass a list of keys");
  for (const key of keys as readonly unknown[]) {
    if (typeof key !== "object" || key === null)
      throw refusal("INVALID_KEY", "an item of keys is not an object. Pass the whole key");
    if ("scheme" in key) checkNamed(key as ExplainKey & { readonly scheme: unknown });
    else checkUnnamed(key);
  }
}

function checkNamed(key: ExplainKey & { readonly scheme: unknown }): void {
  const { scheme } = key;
  const checks = typeof scheme === "string" && explainers.some(({ checkKey }) => said(scheme, () => checkKey?.(key)));
  if (!checks) throw refusal("INVALID_KEY", 'the scheme of a key is not known. Pass its name, such as "nginx"');
}

function checkUnnamed(key: object): void {
  const kind = KINDS.find(({ members }) => members.some((member) => member in key));
  if (kind === undefined) throw refusal("INVALID_KEY", "a key has no fields of a known scheme. Add its scheme");
  said(kind.scheme, () => kind.check(unchecked(trimmed(key))));
}

/** Spaces and line ends around a secret are a finding, not an error. */
function trimmed(key: object): object {
  const members = Object.entries(key).map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]);
  return Object.fromEntries(members);
}

/**
 * Names the scheme of the refused key, but not the value: a secret can be in the wrong member. Errors of other libraries can
 * quote it anywhere.
 */
function said<T>(scheme: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const why = isDaypassError(error)
      ? error.message.replace(/ is .*\. Pass/s, " is not valid. Pass")
      : "a field is missing or not valid. Pass the key as its signer takes it";
    throw new DaypassError("INVALID_KEY", `the given key of ${scheme}: ${why}`);
  }
}

function checkAzureKey(key: AzureExplainKey): void {
  // The trimmed members do not include the nested value of a delegation key.
  const text = "accountKey" in key ? key.accountKey : key.userDelegationKey.value;
  prepareKey(typeof text === "string" ? text.trim() : text);
}

function checkAccount(key: GcsAccountKey): void {
  checkEmail(key.client_email);
  gcsExplainKeys([key], "account");
}

function checkPublicKey({ keyPairId, publicKey }: CloudfrontExplainKey): void {
  checkKeyPairId(keyPairId);
  pemPublicKey(publicKey);
}
