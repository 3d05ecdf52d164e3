import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { getSignedCookies, getSignedUrl } from "@aws-sdk/cloudfront-signer";
import type { CloudfrontWish } from "../random/cloudfront-wishes.ts";
import { PYTHON } from "./boto3.ts";

export const keyPairId = "K2JCJMDEHXQW5F";

const pem = ({ privateKey, publicKey }: ReturnType<typeof generateKeyPairSync>) => ({
  privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
});
/** What CloudFront takes: RSA with 2,048 bits, and P-256. */
export const KEYS = {
  rsa: pem(generateKeyPairSync("rsa", { modulusLength: 2048 })),
  ec: pem(generateKeyPairSync("ec", { namedCurve: "prime256v1" })),
};

const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** AWS's SDK makes no policy with wildcards: it receives ours. */
export function sdkUrl({ key, hash, url, end, start, ip }: CloudfrontWish, policy?: string): string {
  const { privateKey } = KEYS[key];
  const signing = { keyPairId, privateKey, algorithm: hash === "sha256" ? "SHA256" : "SHA1" } as const;
  if (policy !== undefined) return getSignedUrl({ ...signing, url, policy });
  return getSignedUrl({ ...signing, url, dateLessThan: instant(end), ...limits(start, ip) });
}

/** A number among them: the end. */
export function sdkCookies(wish: CloudfrontWish): Readonly<Record<string, string | number>> {
  const { key, hash, url, resource = url, end, start, ip } = wish;
  const { privateKey } = KEYS[key];
  const signing = { keyPairId, privateKey, algorithm: hash === "sha256" ? "SHA256" : "SHA1" } as const;
  const cookies = getSignedCookies({ ...signing, url: resource, dateLessThan: instant(end), ...limits(start, ip) });
  return { ...cookies };
}

/** Cookies by a custom policy, as the SDK makes them with and without a URL. */
export function sdkPolicyCookies(policy: string, url?: string): Readonly<Record<string, string | number>> {
  const signing = { keyPairId, privateKey: KEYS.rsa.privateKey, algorithm: "SHA256" } as const;
  return { ...getSignedCookies(url === undefined ? { ...signing, policy } : ({ ...signing, url, policy } as never)) };
}

/** botocore's signer, which has RSA with SHA-1 alone. All of them in one process of Debian's Python. */
export function boto3Urls(wishes: readonly CloudfrontWish[]): readonly string[] {
  const script = fileURLToPath(new URL("../clients/cloudfront.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(PYTHON, [script], {
    input: [KEYS.rsa.privateKey, ...wishes].map((line) => JSON.stringify(line)).join("\n"),
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", PYTHONIOENCODING: "utf8" },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`botocore failed: ${stderr.slice(-2000)}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as string);
}

// The SDK treats a missing option and an undefined one differently.
function limits(start: number | undefined, ip: string | undefined) {
  return {
    ...(start === undefined ? {} : { dateGreaterThan: instant(start) }),
    ...(ip === undefined ? {} : { ipAddress: ip }),
  };
}
