import { createHash } from "node:crypto";

/** The form in which the state stores a token. */
export function tokenHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
