import type { Verifier, WireRequest } from "daypass";
import { s3Signer, s3Verifier } from "daypass/s3";
import { urlSigner, urlVerifier } from "daypass/url";
import { type Contender, interleave } from "./compute/interleave.ts";
import { job, urlKey, urlOrigin } from "./compute/job.ts";
import { loadPortable } from "./compute/portable.ts";
import { hashChain } from "./floor.ts";
import { type Row, rounded } from "./row.ts";

const OURS = "daypass/s3";
const FLOOR = "floor: three hashes";

/** Verifies the URLs that `sign` signs, awaited one by one. No peer on Node verifies presigned URLs. */
export async function verify(): Promise<readonly Row[]> {
  const portable = await loadPortable();
  const { region, endpoint, bucket, expiresIn, credentials, keys } = job;
  const s3 = s3Signer({ region, endpoint, addressing: "path", credentials });
  const url = urlSigner({ key: urlKey });
  const s3Requests = keys.map((key) => wireRequest(s3.sign({ bucket, key, expiresIn: expiresIn * 10 }).url));
  const urlRequests = keys.map((key) =>
    wireRequest(url.sign({ url: `${urlOrigin}/${key}`, expiresIn: expiresIn * 10 }).url),
  );
  const s3Options = { credentials, origins: [endpoint] };
  const urlOptions = { keys: [urlKey], origins: [urlOrigin] };
  const rates = await interleave([
    { name: FLOOR, call: hashChain },
    contender(OURS, s3Verifier(s3Options), s3Requests),
    contender("daypass/s3, portable build", portable.s3Verifier(s3Options), s3Requests),
    contender("daypass/url, HS256", urlVerifier(urlOptions), urlRequests),
  ]);
  const ours = rates.get(OURS) ?? Number.NaN;
  return [OURS, ...[...rates.keys()].filter((name) => name !== OURS)].map((name) => {
    const rate = rates.get(name) ?? Number.NaN;
    return {
      work: "verify",
      contender: name,
      figure: `${rounded(rate)} /s`,
      ratio: name === OURS ? undefined : ours / rate,
      bar: name === FLOOR ? { atLeast: 0.4 } : undefined,
    };
  });
}

function contender(name: string, verifier: Verifier, requests: readonly WireRequest[]): Contender {
  return { name, call: (turn) => verifier.verify(requests[turn % requests.length] as WireRequest) };
}

/** The request that curl would send for a URL. */
function wireRequest(url: string): WireRequest {
  const [, authority = "", target = ""] = /^https:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  const headers = [
    ["Host", authority],
    ["User-Agent", "curl/8.14.1"],
    ["Accept", "*/*"],
  ] as const;
  return { method: "GET", target, authority, headers };
}
