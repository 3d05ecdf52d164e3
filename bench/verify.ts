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
const AGAIN = "daypass/s3, cache: 4096";

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
    contender(AGAIN, s3Verifier({ ...s3Options, cache: 4096 }), s3Requests),
  ]);
  const peers = [...rates.keys()].filter((name) => name !== OURS && name !== AGAIN);
  return [...rowsOf("verify", [OURS, ...peers], rates, 0.4), ...rowsOf("verify again", [AGAIN, FLOOR, OURS], rates, 2)];
}

/** The rows of one kind of work, the first of which is ours. */
function rowsOf(
  work: string,
  names: readonly string[],
  rates: ReadonlyMap<string, number>,
  atLeast: number,
): readonly Row[] {
  const rateOf = (name: string | undefined): number => rates.get(name ?? "") ?? Number.NaN;
  return names.map((name, at) => ({
    work,
    contender: name,
    figure: `${rounded(rateOf(name))} /s`,
    ratio: at === 0 ? undefined : rateOf(names[0]) / rateOf(name),
    bar: name === FLOOR ? { atLeast } : undefined,
  }));
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
