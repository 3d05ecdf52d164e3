import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { DaypassError } from "daypass";

/** A certificate chain and its private key, PEM texts. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * Refuses a pair with which every handshake would fail. `createSecureContext` accepts an empty file, and a key of another type than the
 * certificate's, as after a renewal of an RSA certificate with ECDSA. Does not check names, dates and issuers.
 *
 * @throws {DaypassError} `INVALID_KEY`; the error of OpenSSL for a text that is not PEM
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { checkTlsPair } from "@daypass/gateway/node";
 *
 * export const check = () => checkTlsPair({ cert: readFileSync("cert.pem", "utf8"), key: readFileSync("key.pem", "utf8") });
 * ```
 */
export function checkTlsPair({ cert, key }: TlsPair): void {
  for (const [name, text] of [
    ["certificate", cert],
    ["private key", key],
  ]) {
    if (text?.trim() === "")
      throw new DaypassError("INVALID_KEY", `the ${name} is empty: pass the text of its PEM file`);
  }
  createSecureContext({ cert, key });
  // The first certificate of a chain is the server's own: RFC 8446 section 4.4.2.
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new DaypassError(
      "INVALID_KEY",
      "the private key does not belong to the certificate: pass the two files of one issue",
    );
}
