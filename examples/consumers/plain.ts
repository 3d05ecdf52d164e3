// A program without the DOM's and without Node's types: the library's declarations must stand alone.
import { anyOf, DaypassError, isDaypassError, problem, type Verifier, type WireRequest } from "daypass";
import { type FetchRequest, guardFetch, requestToWire } from "daypass/fetch";
import { guardNode, type NodeRequest, type NodeResponse, toWireRequest } from "daypass/node";
import { type S3Grant, s3Signer, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2Signer, s3V2Verifier } from "daypass/s3/v2";
import { type UrlGrant, urlSigner, urlVerifier } from "daypass/url";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "…" } as const;
const origins = ["https://files.example.com"];

export const links: readonly string[] = [
  s3Signer({ region: "eu-west-1", credentials }).sign({ bucket: "b", key: "k", expiresIn: 60 }).url,
  s3V2Signer({ region: "eu-west-1", credentials }).sign({ bucket: "b", key: "k", expiresIn: 60 }).url,
  urlSigner({ key }).sign({ url: "https://files.example.com/x", expiresIn: 60, subject: "cus_42" }).url,
];
export const promised: Promise<string> = urlSigner({
  key: { kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "k2", x: "…", d: "…" },
})
  .sign({ url: "https://files.example.com/x", expiresIn: 60 })
  .then((link) => link.url);

export const verifier: Verifier<UrlGrant | S3Grant> = anyOf(
  urlVerifier({ keys: [key], origins, enforces: ["body-length"] }),
  s3Verifier({ credentials: async () => credentials, origins }),
  s3HeaderVerifier({ credentials, origins }),
  s3V2Verifier({ credentials: [credentials], origins }),
);

export async function code(request: WireRequest): Promise<string> {
  try {
    const grant = await verifier.verify(request, { subject: "cus_42" });
    return grant.id;
  } catch (error) {
    if (isDaypassError(error)) return `${problem(error)?.status} ${error.code}`;
    throw new DaypassError("MALFORMED", "the parameter is not valid. …", { cause: error });
  }
}

export const listener: (req: NodeRequest, res: NodeResponse) => Promise<void> = guardNode(
  verifier,
  (grant, req, res) => {
    res.setHeader("x-grant", grant.id);
    res.end(toWireRequest(req).target);
  },
);

declare const response: { readonly status: number; readonly headers: { set(name: string, value: string): void } };
export const GET: (request: FetchRequest) => Promise<typeof response> = guardFetch(verifier, (grant, request) => {
  response.headers.set(grant.scheme, requestToWire(request).target);
  return response;
});
