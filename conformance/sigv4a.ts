import { createECDH, createHmac, createPublicKey, type KeyObject } from "node:crypto";

// The second opinion on SigV4A's keys, written from NIST SP 800-108 and AWS's description, with nothing of ours in it.

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The public key that belongs to an access key. */
export function sigV4aPublicKey(accessKeyId: string, secretAccessKey: string): KeyObject {
  for (let counter = 1; counter <= 254; counter++) {
    const input = Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from("AWS4-ECDSA-P256-SHA256"),
      Buffer.from([0]),
      Buffer.from(accessKeyId),
      Buffer.from([counter]),
      Buffer.from([0, 0, 1, 0]),
    ]);
    const candidate = createHmac("sha256", `AWS4A${secretAccessKey}`).update(input).digest("hex");
    if (BigInt(`0x${candidate}`) > ORDER - 2n) continue;
    const pair = createECDH("prime256v1");
    pair.setPrivateKey((BigInt(`0x${candidate}`) + 1n).toString(16).padStart(64, "0"), "hex");
    const point = pair.getPublicKey();
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
    return createPublicKey({ key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, format: "jwk" });
  }
  throw new Error("no key in 254 rounds");
}
