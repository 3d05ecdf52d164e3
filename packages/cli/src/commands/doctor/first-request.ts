import { isDaypassError } from "daypass";
import { childText } from "../../server-xml.ts";
import { type BucketUnderTest, isListing, isUnderstood, LISTING, refusal, sendSigned } from "./bucket-under-test.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { type Answer, answered, Unanswered } from "./http-request.ts";

/** The findings of the first request. */
export interface FirstRequest {
  readonly findings: readonly Finding[];
  /** The bucket with its actual region, for the other checks. Missing if the bucket cannot be reached. */
  readonly target?: BucketUnderTest | undefined;
}

/** Lists one key of the bucket. The response shows network, clock, region and signature. */
export async function firstRequest(target: BucketUnderTest): Promise<FirstRequest> {
  const first = await answered(sendSigned(target, LISTING)).catch(unsigned);
  if ("verdict" in first) return { findings: [first] };
  if (first instanceof Unanswered) return { findings: [unreachable(first, target)] };
  const findings = [ok("reach", `${new URL(first.url).host} answers.`), clock(first)];
  const region = await regionOf(first, target);
  findings.push(region.finding);
  const answer = region.target === target ? first : await answered(sendSigned(region.target, LISTING));
  if (answer instanceof Unanswered) return { findings: [...findings, unreachable(answer, region.target)] };
  if (isUnderstood(answer)) {
    if (!isListing(answer)) return { findings: [...findings, notStorage(answer)] };
    const rest = answer.status < 300 ? "" : `, and says ${answer.code}: it may not list the bucket`;
    findings.push(ok("signature", `The server accepts a signature of this key${rest}.`));
    return { findings, target: region.target };
  }
  // S3 storage states its error in XML. A website's 404 does not depend on the signature.
  if (answer.code === "") return { findings: [...findings, notStorage(answer)] };
  if (answer.code === "NoSuchBucket") {
    findings.push(problem("signature", `There is no bucket ${target.bucket}.`, "Check its name and the endpoint."));
    return { findings };
  }
  const request = { method: "GET", what: "A request for the first key" };
  findings.push(await refusal("signature", { target: region.target, answer, ...request }));
  return { findings };
}

function notStorage({ status }: Answer): Finding {
  return problem(
    "signature",
    `The server is not S3 storage, or something is in front of it: a listing was answered with ${status} and ${status < 300 ? "no ListBucketResult" : "none of S3's errors"}.`,
    "Check that --endpoint is the port of the S3 API, not of a console, a website or a login page.",
  );
}

/** The signer refused, for example because the credentials have expired. */
function unsigned(error: unknown): Finding {
  if (!isDaypassError(error)) throw error;
  return problem(
    "reach",
    `Nothing was sent, as no URL can be signed: ${error.code}, ${error.message}.`,
    "Fix that first: daypass sign would fail the same way.",
  );
}

function unreachable({ message }: Unanswered, { place }: BucketUnderTest): Finding {
  const fix =
    place["endpoint"] === undefined
      ? "Check the network and --region; give --endpoint for a server that is not Amazon's."
      : "Check --endpoint: scheme, host and port.";
  return problem("reach", `The server cannot be reached: ${message}.`, fix);
}

const NOTICEABLE_MS = 30_000;
// S3 refuses requests whose time differs by more than 15 minutes.
const REFUSED_MS = 900_000;

function clock({ aheadMs }: Answer): Finding {
  if (aheadMs === undefined)
    return warning("clock", "The server does not send its time.", "Compare the clocks another way.");
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const size = Math.abs(aheadMs);
  if (size < NOTICEABLE_MS) return ok("clock", `This clock and the server's differ by ${seconds} s.`);
  const sentence = `This clock is ${seconds} s ${aheadMs > 0 ? "behind" : "ahead of"} the server's.`;
  const fix = "Set the clock (NTP): a URL signed here begins and ends at the wrong time.";
  return size < REFUSED_MS ? warning("clock", sentence, fix) : problem("clock", sentence, fix);
}

/** Compares the region with the region that the server names. */
async function regionOf(
  answer: Answer,
  target: BucketUnderTest,
): Promise<{ readonly finding: Finding; readonly target: BucketUnderTest }> {
  const { region } = target.place as { readonly region?: string };
  const actual = regionName(answer.headers["x-amz-bucket-region"]) ?? regionName(childText(answer.root, "Region"));
  if (actual === undefined || actual === region) {
    const how = actual === undefined ? "the server names no other" : "the bucket's own";
    return { finding: ok("region", `The region ${region ?? "none"}: ${how}.`), target };
  }
  return {
    finding: problem(
      "region",
      `The bucket is in ${actual}, but URLs are signed for ${region}. What follows was checked with ${actual}.`,
      `Give --region ${actual}, or set AWS_REGION or the profile's region.`,
    ),
    target: { ...target, place: { ...target.place, region: actual } },
  };
}

function regionName(text: string | readonly string[] | undefined): string | undefined {
  return typeof text === "string" && /^[a-z0-9-]{1,64}$/.test(text) ? text : undefined;
}
