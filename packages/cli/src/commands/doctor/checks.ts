import { randomBytes } from "node:crypto";
import {
  type BucketUnderTest,
  isListing,
  isUnderstood,
  LISTING,
  refusal,
  sendSigned,
  signFor,
} from "./bucket-under-test.ts";
import { type Check, type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { type Answer, answered, send, Unanswered } from "./http-request.ts";

const SHORT_SECONDS = 3600;

/** Checks whether the credentials expire soon. */
export function credentialLifetime({ place }: BucketUnderTest, now: Date): Finding {
  const { accessKeyId, sessionToken, expiration } = place["credentials"] as {
    readonly accessKeyId: string;
    readonly sessionToken?: string;
    readonly expiration?: string;
  };
  if (expiration !== undefined) {
    const seconds = Math.floor((Date.parse(expiration) - now.getTime()) / 1000);
    const sentence = `The key ${accessKeyId} is temporary and ends at ${expiration}, in ${seconds} s: no URL it signs lives longer.`;
    if (seconds <= 0) return problem("credentials", sentence, "Get new credentials.");
    const fix = "Use credentials that outlive the URLs you need.";
    return seconds < SHORT_SECONDS ? warning("credentials", sentence, fix) : ok("credentials", sentence);
  }
  if (sessionToken !== undefined) {
    return warning(
      "credentials",
      `The key ${accessKeyId} is temporary, and its end is unknown: its URLs end with it.`,
      "Set AWS_CREDENTIAL_EXPIRATION along with the session token, or use a key that does not expire.",
    );
  }
  if (accessKeyId.startsWith("ASIA")) {
    return problem(
      "credentials",
      `The key ${accessKeyId} is temporary by its name, but there is no session token with it.`,
      "Set AWS_SESSION_TOKEN, too.",
    );
  }
  return ok("credentials", `The key ${accessKeyId} does not expire.`);
}

/** Checks whether the other addressing style works too. */
export async function addressing(target: BucketUnderTest): Promise<Finding> {
  const { url } = await signFor(target, { method: "GET" });
  const isVirtual = new URL(url).hostname.startsWith(`${target.bucket}.`);
  const [used, other] = isVirtual ? ["virtual-host", "path"] : ["path", "virtual-host"];
  const place = { ...target.place, addressing: isVirtual ? "path" : "virtual" };
  let works = false;
  try {
    works = isListing(await sendSigned({ ...target, place }, LISTING));
  } catch {
    // The bucket is not a valid host name, or the name does not resolve.
  }
  return ok(
    "addressing",
    `URLs are in ${used} style, which works; ${other} style ${works ? "works as well" : "does not work here"}.`,
  );
}

/** Puts, gets and deletes an object with presigned URLs. */
export async function objects(target: BucketUnderTest): Promise<readonly Finding[]> {
  const key = `daypass-doctor-${randomBytes(8).toString("hex")}`;
  const body = `written by daypass doctor ${key}`;
  const put = await answered(sendSigned(target, { method: "PUT", key }, body));
  if (put instanceof Unanswered) {
    const sentence = `A presigned PUT was not answered: ${put.message}. The object ${key} may have been stored.`;
    return [problem("put", sentence, `${BETWEEN} Delete the object: aws s3 rm s3://${target.bucket}/${key}`)];
  }
  if (put.status >= 300) {
    const finding = await refusal("put", { target, answer: put, method: "PUT", what: "A presigned PUT" });
    return [finding, await unlessUnanswered("get", getMissing(target))];
  }
  const got = await answered(sendSigned(target, { method: "GET", key }));
  const removed = await answered(sendSigned(target, { method: "DELETE", key }));
  const isRemoved = !(removed instanceof Unanswered) && removed.status < 300;
  const why = removed instanceof Unanswered ? removed.message : `${removed.status} ${removed.code}`;
  return [
    ok("put", "A presigned PUT works."),
    got instanceof Unanswered ? unanswered("get", got) : await gotFinding(target, got, body),
    isRemoved
      ? ok("delete", `The object that was put (${key}) was deleted again.`)
      : warning(
          "delete",
          `The object that was put (${key}) could not be deleted: ${why}.`,
          `Delete it: aws s3 rm s3://${target.bucket}/${key}`,
        ),
  ];
}

async function gotFinding(
  target: BucketUnderTest,
  got: Answer & { readonly url: string },
  body: string,
): Promise<Finding> {
  if (got.status !== 200) return refusal("get", { target, answer: got, method: "GET", what: "A presigned GET" });
  return got.body === body
    ? ok("get", "A presigned GET works.")
    : problem("get", "A presigned GET gave other bytes than were put.", "Look for a proxy that changes bodies.");
}

const BETWEEN = "Check what is between here and the server: it answered before.";

/** The server answered the first request but not this one. */
function unanswered(check: Check, { message }: Unanswered): Finding {
  return problem(check, `The request was not answered: ${message}.`, BETWEEN);
}

/** The finding, or a network error as a finding, so that earlier findings are still reported. */
export async function unlessUnanswered(check: Check, finding: Promise<Finding>): Promise<Finding> {
  const found = await answered(finding);
  return found instanceof Unanswered ? unanswered(check, found) : found;
}

/** Checks GET without writing: the error for a missing key shows whether the signature is accepted. */
export async function getMissing(target: BucketUnderTest): Promise<Finding> {
  const answer = await sendSigned(target, { method: "GET", key: `daypass-doctor-${randomBytes(8).toString("hex")}` });
  if (answer.code === "NoSuchKey") return ok("get", "A presigned GET is accepted (for a key that does not exist).");
  if (isUnderstood(answer))
    return skipped(
      "get",
      `A presigned GET of a key that does not exist was answered with ${answer.code}: the access key may not list, so this proves nothing.`,
    );
  return refusal("get", { target, answer, method: "GET", what: "A presigned GET" });
}

/** The settings that a page needs, and whether the bucket has them. */
export interface CrossOrigin {
  readonly findings: readonly Finding[];
  readonly contentSecurityPolicy: string;
  /** A rule that allows uploads and downloads, for `aws s3api put-bucket-cors`. */
  readonly cors: unknown;
}

/** Checks the bucket's CORS rules, and sends preflights if an origin is given. */
export async function crossOrigin(target: BucketUnderTest, origin: string | undefined): Promise<CrossOrigin> {
  const { url } = await signFor(target, { method: "PUT", key: "daypass-doctor" });
  const findings = [await unlessUnanswered("cors", corsRules(target))];
  if (origin === undefined) {
    findings.push(skipped("preflight", "No preflight was sent: give --origin with the page's origin."));
  } else {
    for (const method of ["PUT", "GET"])
      findings.push(await unlessUnanswered("preflight", preflight(target, { origin, method })));
  }
  const rule = {
    AllowedOrigins: [origin ?? "https://app.example.com"],
    AllowedMethods: ["GET", "HEAD", "PUT"],
    AllowedHeaders: ["content-type"],
    ExposeHeaders: ["ETag"],
    MaxAgeSeconds: 3600,
  };
  const { origin: server } = new URL(url);
  return { findings, contentSecurityPolicy: `connect-src ${server}`, cors: { CORSRules: [rule] } };
}

async function corsRules(target: BucketUnderTest): Promise<Finding> {
  const answer = await sendSigned(target, { method: "GET", query: { cors: "" } });
  if (answer.code === "NoSuchCORSConfiguration") {
    return warning(
      "cors",
      "The bucket has no CORS rules: scripts of pages of other origins cannot use its URLs.",
      "If they have to, set the rule below.",
    );
  }
  if (answer.status === 200 && answer.root?.name !== "CORSConfiguration") {
    return skipped("cors", "The CORS rules cannot be read: the answer is not a CORSConfiguration.");
  }
  if (answer.status !== 200) {
    return skipped(
      "cors",
      `The CORS rules cannot be read: ${answer.status} ${answer.code}. Preflights are still answered.`,
    );
  }
  const rules = (answer.root?.children ?? []).filter(({ name }) => name === "CORSRule");
  const texts = rules.map(({ children }) => {
    const all = (name: string): string =>
      children
        .filter((child) => child.name === name)
        .map(({ text }) => text)
        .join(", ");
    return `${all("AllowedMethod")} from ${all("AllowedOrigin")}`;
  });
  return ok("cors", `The bucket has CORS rules: ${texts.join("; ")}.`);
}

async function preflight(
  target: BucketUnderTest,
  { origin, method }: { readonly origin: string; readonly method: string },
): Promise<Finding> {
  const { url } = await signFor(target, { method, key: "daypass-doctor" });
  const answer = await send({
    url,
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      ...(method === "PUT" ? { "access-control-request-headers": "content-type" } : {}),
    },
  });
  const missing = missingAllowance(answer, { origin, method });
  if (missing === undefined) return ok("preflight", `A page of ${origin} may ${method}.`);
  return problem(
    "preflight",
    `A page of ${origin} may not ${method}: the preflight was answered with ${answer.status}${missing}.`,
    "Set the rule below.",
  );
}

function missingAllowance(
  { status, headers }: Answer,
  { origin, method }: { readonly origin: string; readonly method: string },
): string | undefined {
  if (status >= 300) return "";
  const list = (name: string): readonly string[] =>
    String(headers[name] ?? "")
      .toLowerCase()
      .split(",")
      .map((part) => part.trim());
  const allowed = headers["access-control-allow-origin"];
  if (allowed !== origin && allowed !== "*") return ` and without access-control-allow-origin: ${origin}`;
  const methods = list("access-control-allow-methods");
  if (!methods.includes(method.toLowerCase()) && !methods.includes("*"))
    return ` and without ${method} in access-control-allow-methods`;
  const names = list("access-control-allow-headers");
  if (method === "PUT" && !names.includes("content-type") && !names.includes("*"))
    return " and without content-type in access-control-allow-headers";
  return undefined;
}
