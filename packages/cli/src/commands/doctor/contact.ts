import { isDaypassError } from "daypass";
import { childText, parseXml } from "../../listing/xml.ts";
import { ask, isListing, isUnderstood, type Patient, pageFinding, type Refused, refusal } from "./bucket-under-test.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { type Answer, answered, Unanswered } from "./send.ts";

/** The first request, and what it teaches. */
export interface Contact {
  readonly findings: readonly Finding[];
  /** The patient as the other checks have to reach it; missing where it cannot be reached at all. */
  readonly patient?: Patient | undefined;
}

/** Asks for the first key of the bucket: the answer shows reach, clock, region and signature at once. */
export async function firstContact(patient: Patient): Promise<Contact> {
  const first = await answered(ask(patient, LISTING)).catch(unsigned);
  if ("verdict" in first) return { findings: [first] };
  if (first instanceof Unanswered) return { findings: [unreachable(first, patient)] };
  const findings = [ok("reach", `${new URL(first.url).host} answers.`), clock(first)];
  const region = await regionOf(first, patient);
  findings.push(region.finding);
  const answer = region.patient === patient ? first : await answered(ask(region.patient, LISTING));
  if (answer instanceof Unanswered) return { findings: [...findings, unreachable(answer, region.patient)] };
  if (isUnderstood(answer)) {
    if (!isListing(answer)) return { findings: [...findings, notStorage(answer)] };
    const rest = answer.status < 300 ? "" : `, and says ${answer.code}: it may not list the bucket`;
    findings.push(ok("signature", `The server accepts a signature of this key${rest}.`));
    return { findings, patient: region.patient };
  }
  // Every storage says why, in XML. A website's 404 says nothing of a signature.
  if (answer.code === "") {
    const page = answer.status < 300 ? undefined : await pageFinding("signature", refused(region.patient, answer));
    return { findings: [...findings, page ?? notStorage(answer)] };
  }
  if (answer.code === "NoSuchBucket") {
    findings.push(problem("signature", `There is no bucket ${patient.bucket}.`, "Check its name and the endpoint."));
    return { findings };
  }
  findings.push(await refusal("signature", refused(region.patient, answer)));
  return { findings };
}

function refused(patient: Patient, answer: Refused["answer"]): Refused {
  return { patient, answer, method: "GET", what: "A request for the first key" };
}

function notStorage({ status }: Answer): Finding {
  return problem(
    "signature",
    `The server is not S3 storage, or something is in front of it: a listing was answered with ${status} and ${status < 300 ? "no ListBucketResult" : "none of S3's errors"}.`,
    "Check that --endpoint is the port of the S3 API, not of a console, a website or a login page.",
  );
}

const LISTING = { method: "GET", query: { "list-type": "2", "max-keys": "1" } };

/** The signer refuses, such as with credentials that have ended: nothing is known of the server. */
function unsigned(error: unknown): Finding {
  if (!isDaypassError(error)) throw error;
  return problem(
    "reach",
    `Nothing was sent, as no URL can be signed: ${error.code}, ${error.message}.`,
    "Fix that first: daypass sign would fail the same way.",
  );
}

function unreachable({ message }: Unanswered, { place }: Patient): Finding {
  const fix =
    place["endpoint"] === undefined
      ? "Check the network and --region; give --endpoint for a server that is not Amazon's."
      : "Check --endpoint: scheme, host and port.";
  return problem("reach", `The server cannot be reached: ${message}.`, fix);
}

const SIGNIFICANT_MS = 30_000;
// S3 refuses a request whose time is off by more than 15 minutes.
const REFUSED_MS = 900_000;

function clock({ aheadMs }: Answer): Finding {
  if (aheadMs === undefined)
    return warning("clock", "The server does not send its time.", "Compare the clocks another way.");
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const size = Math.abs(aheadMs);
  if (size < SIGNIFICANT_MS) return ok("clock", `This clock and the server's differ by ${seconds} s.`);
  const sentence = `This clock is ${seconds} s ${aheadMs > 0 ? "behind" : "ahead of"} the server's.`;
  const fix = "Set the clock (NTP): a URL signed here begins and ends at the wrong time.";
  return size < REFUSED_MS ? warning("clock", sentence, fix) : problem("clock", sentence, fix);
}

/** The bucket's own region, where the server tells another one than was signed for. */
async function regionOf(
  answer: Answer,
  patient: Patient,
): Promise<{ readonly finding: Finding; readonly patient: Patient }> {
  const { region } = patient.place as { readonly region?: string };
  const told = headerText(answer, "x-amz-bucket-region") ?? regionInBody(answer.body);
  if (told === undefined || told === region) {
    const how = told === undefined ? "the server names no other" : "the bucket's own";
    return { finding: ok("region", `The region ${region ?? "none"}: ${how}.`), patient };
  }
  return {
    finding: problem(
      "region",
      `The bucket is in ${told}, but URLs are signed for ${region}. What follows was checked with ${told}.`,
      `Give --region ${told}, or set AWS_REGION or the profile's region.`,
    ),
    patient: { ...patient, place: { ...patient.place, region: told } },
  };
}

function headerText({ headers }: Answer, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && /^[a-z0-9-]{1,64}$/.test(value) ? value : undefined;
}

function regionInBody(body: string): string | undefined {
  try {
    const region = childText(parseXml(body), "Region");
    return /^[a-z0-9-]{1,64}$/.test(region) ? region : undefined;
  } catch {
    return undefined;
  }
}
