import type { WireRequest } from "daypass";
import {
  AUDIENCE,
  ED25519_KEY,
  HMAC_KEY,
  NOW,
  S3_CREDENTIALS,
  S3_ORIGINS,
  SESSION_CREDENTIALS,
  s3Bases,
  s3V2Bases,
  URL_ORIGINS,
  urlBases,
} from "../../../daypass/test/tamper/bases.ts";
import { type Judge, judgeS3, judgeS3V2, judgeUrl } from "../../../daypass/test/tamper/judge.ts";
import type { GatewayOptions } from "../../src/options.ts";

const { d: _, ...publicKey } = ED25519_KEY;

/** Everything but the storage: the origins, keys and clock that the bases were signed for. */
export const gatewayOptions: Omit<GatewayOptions, "storage"> = {
  origins: [...S3_ORIGINS, ...URL_ORIGINS],
  keys: {
    s3: (id) => [S3_CREDENTIALS, SESSION_CREDENTIALS].find(({ accessKeyId }) => accessKeyId === id),
    url: [HMAC_KEY, publicKey],
  },
  audience: AUDIENCE,
  clock: () => NOW,
};

export interface Base {
  readonly request: WireRequest;
  readonly judge: Judge;
}

export const BODY = "abc";

/** Valid requests of all schemes. What is uploaded is three bytes long, unless the signature says otherwise. */
export const bases: readonly Base[] = [
  ...s3Bases().map((request) => ({ request, judge: judgeS3 })),
  ...s3V2Bases().map((request) => ({ request, judge: judgeS3V2 })),
  ...urlBases().map((request) => ({ request, judge: judgeUrl })),
].map(({ request, judge }) => ({ request: withLength(request), judge }));

function withLength(request: WireRequest): WireRequest {
  const isSet = request.headers.some(([name]) => name === "content-length");
  if (isSet || request.method !== "PUT") return request;
  return { ...request, headers: [...request.headers, ["content-length", String(BODY.length)]] };
}
