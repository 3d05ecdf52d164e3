import { anyOf } from "daypass";
import { type GcsObjectRequest, gcsHmacSigner, gcsHmacVerifier, gcsVerifier } from "daypass/gcs";
import { hmacKey, publicAccount } from "./account.ts";

export const NOW = new Date("2026-01-02T03:04:05Z");
export const clock = () => NOW;
export const endpoint = "https://storage.example.com";
export const origins = [
  endpoint,
  "https://*.storage.example.com",
  "https://files.example.com",
  "http://localhost:8080",
];
const buckets = { "https://files.example.com": "media" };
const enforces = ["response", "body-checksum", "body-sha256", "body-length", "create-only"] as const;
const signer = gcsHmacSigner({ credentials: hmacKey, endpoint, clock });
const common = { origins, buckets, clock, enforces };
export const verifier = anyOf(
  gcsVerifier({ keys: publicAccount, ...common }),
  gcsHmacVerifier({ keys: hmacKey, ...common }),
);

export const sign = (extra: Partial<GcsObjectRequest> = {}) =>
  signer.sign({ bucket: "media", object: "a/b.txt", expiresIn: 600, ...extra });
