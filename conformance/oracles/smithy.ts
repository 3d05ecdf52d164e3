import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { canonicalQuery, encodeBytes } from "../sigv4.ts";
import { type Draft, type Oracle, queryObject, wishedPath, wishedUrl } from "./oracle.ts";

/** The signer below the AWS SDK, on its own: it takes any header and any parameter. */
export const smithyOracle: Oracle = {
  name: "@smithy/signature-v4",
  version: "5.7.5",
  narrow: (wish) => wish,
  adds: ["X-Amz-Content-Sha256"],
  async sign(wish) {
    const { protocol, host } = wishedUrl(wish);
    const [hostname = "", port] = host.split(":");
    const signer = new SignatureV4({
      service: "s3",
      region: wish.region,
      credentials: wish.credentials,
      sha256: NodeSha256,
      uriEscapePath: false,
      applyChecksum: false,
    });
    const names = new Set(Object.keys(wish.headers));
    // Without the header, the payload line would be the hash of an empty body, as for other services.
    const payload: Record<string, string> = names.has("x-amz-content-sha256")
      ? {}
      : { "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" };
    const signed = await signer.presign(
      {
        method: wish.method,
        protocol,
        hostname,
        ...(port === undefined ? {} : { port: Number(port) }),
        path: encodeBytes(wishedPath(wish), "/"),
        query: queryObject(wish.query),
        headers: { ...wish.headers, ...payload, host },
      },
      { expiresIn: wish.expiresIn, signingDate: wish.signedAt, unhoistableHeaders: names, signableHeaders: names },
    );
    const tokens = Object.entries(signed.query ?? {}).flatMap(([name, value]) =>
      [value ?? ""].flat().map((text) => `${encodeBytes(name)}=${encodeBytes(text)}`),
    );
    return `${protocol}//${host}${signed.path}?${tokens.join("&")}`;
  },
  deviations: [
    {
      name: "a parameter called `__proto__`: sent, and signed as the text `[object Object]`",
      applies: (_, { signed }) => signed.query.some(([name]) => name === "__proto__"),
      instead: (draft) => ({ ...draft, signed: { ...draft.signed, canonicalQuery: withPrototype(draft) } }),
    },
  ],
};

// `serialized[name]` of a plain object: for this name it reads Object.prototype, and joins that.
function withPrototype({ signed }: Draft): string {
  const { query } = signed;
  const others = canonicalQuery(query.filter(([name]) => name !== "__proto__")).split("&");
  const after = others.findIndex((token) => token > "__proto__");
  return others.toSpliced(after < 0 ? others.length : after, 0, "[object Object]").join("&");
}

/** SHA-256 and its HMAC, in the form that smithy asks for. */
export class NodeSha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a hash is used once");
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
