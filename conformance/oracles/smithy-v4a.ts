import { getCanonicalHeaders, moveHeadersToQuery } from "@smithy/signature-v4";
import { SignatureV4a } from "@smithy/signature-v4a";
import type { S3Wish } from "../random/requests.ts";
import { amzDate, encodeBytes } from "../sigv4.ts";
import { queryObject, wishedPath, wishedUrl } from "./oracle.ts";
import { NodeSha256 } from "./smithy.ts";

/** What smithy makes of a wish. */
export interface SmithyV4a {
  readonly url: string;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/**
 * The SDK's own SigV4A without its native module. It signs headers only: here its parts (canonical request, string to sign,
 * derived key, ECDSA) are put together for a query, as its SigV4 does it.
 */
export async function smithyV4a(wish: S3Wish, regionSet: string): Promise<SmithyV4a> {
  const { protocol, host } = wishedUrl(wish);
  const [hostname = "", port] = host.split(":");
  const { accessKeyId, secretAccessKey, sessionToken } = wish.credentials;
  const time = amzDate(wish.signedAt);
  const scope = `${time.slice(0, 8)}/s3/aws4_request`;
  const names = new Set(Object.keys(wish.headers));
  const request = moveHeadersToQuery(
    {
      method: wish.method,
      protocol,
      hostname,
      ...(port === undefined ? {} : { port: Number(port) }),
      path: encodeBytes(wishedPath(wish), "/"),
      query: {
        ...queryObject(wish.query),
        ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
        "X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256",
        "X-Amz-Credential": `${accessKeyId}/${scope}`,
        "X-Amz-Date": time,
        "X-Amz-Expires": String(wish.expiresIn),
        "X-Amz-Region-Set": regionSet,
      },
      headers: { ...wish.headers, host },
    },
    { unhoistableHeaders: names },
  );
  const signer = new QuerySigner({
    service: "s3",
    region: regionSet,
    credentials: { accessKeyId, secretAccessKey },
    sha256: NodeSha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const headers = getCanonicalHeaders(request, undefined, names);
  request.query = { ...request.query, "X-Amz-SignedHeaders": Object.keys(headers).sort().join(";") };
  const payload = wish.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD";
  const canonicalRequest = signer.canonical(request, headers, payload);
  const { stringToSign, signature } = await signer.signText(time, scope, canonicalRequest);
  const tokens = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
    [value ?? ""].flat().map((text) => `${encodeBytes(name)}=${encodeBytes(text)}`),
  );
  const url = `${protocol}//${host}${request.path}?${tokens.join("&")}&X-Amz-Signature=${signature}`;
  return { url, canonicalRequest, stringToSign };
}

class QuerySigner extends SignatureV4a {
  canonical(...parts: Parameters<SignatureV4a["createCanonicalRequest"]>): string {
    return this.createCanonicalRequest(...parts);
  }

  async signText(
    time: string,
    scope: string,
    canonicalRequest: string,
  ): Promise<{ stringToSign: string; signature: string }> {
    const stringToSign = await this.createStringToSign(time, scope, canonicalRequest, "AWS4-ECDSA-P256-SHA256");
    // Its key and its ECDSA are only to be had by signing a request: put our text under the pen.
    const own = Reflect.get(this, "getSignature") as (key: Uint8Array, text: string) => Promise<string>;
    Object.defineProperty(this, "getSignature", { value: (key: Uint8Array) => own.call(this, key, stringToSign) });
    const request = { method: "GET", protocol: "https:", hostname: "x", path: "/", headers: { host: "x" } };
    const signed = (await this.sign(request, {})) as { readonly headers: Readonly<Record<string, string>> };
    return { stringToSign, signature: /Signature=([0-9a-f]+)$/.exec(signed.headers["authorization"] ?? "")?.[1] ?? "" };
  }
}
