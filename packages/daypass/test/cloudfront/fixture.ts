import type { WireRequest } from "daypass";
import {
  type CloudfrontSignRequest,
  cloudfrontCookieSigner,
  cloudfrontSigner,
  cloudfrontVerifier,
} from "daypass/cloudfront";
import { expect } from "vitest";
import { verdictOf } from "../code-of.ts";
import { RSA } from "./keys.ts";

export const keyPairId = "K2JCJMDEHXQW5F";
const now = new Date("2026-11-24T12:00:00Z");
export const epoch = now.getTime() / 1000;
export const clock = () => now;
export const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
export const origin = "https://media.example.com";
export const url = `${origin}/talks/keynote.mp4`;
export const keys = { keyPairId, publicKey: RSA.publicKey, hashes: ["sha1", "sha256"] } as const;
export const signer = cloudfrontSigner({ keyPairId, privateKey: RSA.privateKey, hash: "sha256", clock });
export const cookieSigner = cloudfrontCookieSigner({ keyPairId, privateKey: RSA.privateKey, hash: "sha256", clock });
export const verifier = cloudfrontVerifier({ keys, origins: [origin, "http://media.example.com:8080"], clock });

export const sign = (extra: Partial<CloudfrontSignRequest> = {}) => signer.sign({ url, expiresIn: 600, ...extra });
export const refusal = (request: WireRequest, by = verifier) => verdictOf(by.verify(request));
export const rejects = (promise: Promise<unknown>, code: string) =>
  expect(promise).rejects.toThrow(expect.objectContaining({ code }));
export const policyOf = (link: string) => {
  const text = new URL(link).searchParams.get("Policy") ?? "";
  return atob(text.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"));
};

/** Signs any text as a policy: what a key holder could do by hand. */
export async function signedBy(text: string, at = url, hash: "sha1" | "sha256" = "sha256"): Promise<WireRequest> {
  const key = await crypto.subtle.importKey(
    "pkcs8",
    Uint8Array.from(Buffer.from(pkcs8, "base64")),
    { name: "RSASSA-PKCS1-v1_5", hash: hash === "sha1" ? "SHA-1" : "SHA-256" },
    false,
    ["sign"],
  );
  const bytes = Buffer.from(text, "latin1");
  const signature = Buffer.from(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, bytes));
  const encode = (data: Buffer) =>
    data.toString("base64").replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
  const target = `${at.slice(origin.length)}?Policy=${encode(bytes)}&Key-Pair-Id=${keyPairId}&Signature=${encode(signature)}`;
  const suffix = hash === "sha256" ? "&Hash-Algorithm=SHA256" : "";
  return { method: "GET", target: target + suffix, authority: "media.example.com", headers: [] };
}
const pkcs8 = (await import("node:crypto"))
  .createPrivateKey(RSA.privateKey)
  .export({ format: "der", type: "pkcs8" })
  .toString("base64");

export const policy = (condition: object, resource: unknown = url) =>
  JSON.stringify({ Statement: [{ Resource: resource, Condition: condition }] });
export const end = { DateLessThan: { "AWS:EpochTime": epoch + 60 } };
