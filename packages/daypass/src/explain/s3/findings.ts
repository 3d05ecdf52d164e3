import { amazonRegion, amazonService, isAmazonWebsite } from "../amazon-host.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { isMismatch } from "../cause/server-cause.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { s3Traps } from "../traps.ts";
import { timeCause } from "../v4/diagnosis.ts";
import { hashParameter, type V4Case, type V4Facts, type V4Findings, v4GrammarCause } from "../v4/scheme.ts";
import { keyEndCause, s3Cause, TOKEN, tokenCause } from "./facts.ts";

/** Findings of S3 beyond the V4 family: body, session token, scope, host, and the server's answer made precise. */
export function s3Findings(given: V4Case): Partial<V4Findings> {
  const { scheme, subject, facts, key } = given;
  const { error, now } = subject;
  const isRefused = error !== undefined && isMismatch(error);
  const said = error === undefined || isRefused ? undefined : s3Cause(error, now);
  const scope = scopeCause(given);
  const grammar = v4GrammarCause(scheme, facts, subject);
  const isExact = said !== undefined && said.isGuess !== true;
  // The answer does not name the fault.
  const unread = /^(?:MALFORMED|UNSIGNED_HEADER)$/.test(`${said?.code}`) ? (grammar ?? scope) : undefined;
  return {
    said: isExact ? (unread ?? refine(said, facts, subject)) : said,
    malformed: grammar ?? hoistedCause(subject),
    beside: scope ?? (isRefused ? undefined : (bodyCause(given) ?? keyCause(given))),
    certain: scope?.code === "SERVICE" ? scope : undefined,
    late: timeCause(facts, now) ?? keyEndCause(key?.credentials, facts.endsAt, now),
  };
}

/** The key has a session token that neither the URL nor a header contains. */
function keyCause({ facts, subject, key }: V4Case): Cause | undefined {
  const given = key?.credentials?.sessionToken;
  const { token } = facts;
  if (!given) return undefined;
  if (token === undefined || token === given) return tokenCause(facts, TOKEN, subject);
  const damage = given.startsWith(token)
    ? "its end was cut off"
    : "it was changed in transit, or belongs to another session";
  return causeOf(
    "INVALID_TOKEN",
    `The session token in the URL (${TOKEN}) does not belong to the given key: ${damage}.`,
    "Pass the URL on byte for byte as it was made, or sign again with access key, secret and session token from one set of credentials.",
  );
}

/** The body differs from its hash. Only a matching key or the URL proves that the hash was signed. */
function bodyCause({ scheme, input: { payload }, subject, signature }: V4Case): Cause | undefined {
  const { request, sentUrl } = subject;
  const { bodySha256 } = request ?? {};
  if (bodySha256 === undefined || !/^[0-9a-f]{64}$/.test(payload) || payload === bodySha256) return undefined;
  const body = `the body: ${bodySha256}`;
  return signature.signer === undefined && hashParameter(scheme.dialect, sentUrl) === undefined
    ? causeOf(
        "HEADER",
        "The header x-amz-content-sha256 that was sent is not the hash of the body: either the header or the body differs from what was signed.",
        "Send the header with the value that was signed, and the body that has this hash.",
        `the header: ${payload}`,
        body,
      )
    : causeOf(
        "PAYLOAD",
        "The body differs from the signed body: its hash does not match x-amz-content-sha256.",
        "Send the body that was signed, or sign with UNSIGNED-PAYLOAD.",
        `signed: ${payload}`,
        body,
      );
}

/** The server complains of a header that an SDK moved into the query. */
function hoistedCause({ url, error }: Subject): Cause | undefined {
  if (error === undefined || isMismatch(error)) return undefined;
  const message = error.message.toLowerCase();
  const trap = s3Traps(url).find(
    ({ name, text }) => name === "header-in-query" && message.includes(text.split(" ", 1)[0] as string),
  );
  const evidence = `The server says ${error.code}: ${error.message}`;
  return trap && causeOf("HEADER", trap.text, "Sign it as a header, and send it.", evidence);
}

function scopeCause({ scheme, subject, facts, signature }: V4Case): Cause | undefined {
  const { url, error } = subject;
  const { region, regionSet, service } = facts;
  const host = `host ${url.authority}`;
  const expected = amazonService(url.authority) ?? scheme.dialect.services[0];
  if (service !== expected && service !== "s3express") {
    const sentence = `The URL was signed for the service ${service}, but S3 expects ${expected}.`;
    return causeOf("SERVICE", sentence, `Sign for the service ${expected}.`);
  }
  // The CDN forwards a URL that is signed for its store. A matching key proves that.
  if (error !== undefined && /\.cdn\.digitaloceanspaces\.com$/.test(url.authority) && signature.signer === undefined) {
    return causeOf(
      "ENDPOINT",
      `${url.authority} is the host of DigitalOcean's CDN, which requests the object from the store under the store's own name: sign for the host without cdn.`,
      "Sign for the host without .cdn, and put the CDN's host into the URL afterwards. With the key, explain can tell whether it was.",
      host,
    );
  }
  if (error !== undefined && /\.r2\.dev$/.test(url.authority)) {
    return causeOf(
      "ENDPOINT",
      `${url.authority} is the public address of an R2 bucket, which does not accept signed requests.`,
      "Sign for ACCOUNT.r2.cloudflarestorage.com, the only host at which R2 accepts signatures.",
      host,
    );
  }
  if (isAmazonWebsite(url.authority)) {
    return causeOf(
      "ENDPOINT",
      "The host is the bucket's website endpoint, which does not accept signed requests.",
      "Sign for the bucket's regional endpoint (s3.REGION.amazonaws.com).",
      host,
    );
  }
  const hostRegion = regionSet === undefined ? amazonRegion(url.authority) : undefined;
  if (hostRegion === undefined || hostRegion === region) return undefined;
  const sentence = `The URL was signed for the region ${region}, but its host is in ${hostRegion}.`;
  return causeOf("REGION", sentence, `Sign for ${hostRegion}, or use the endpoint of ${region}.`, host);
}

/** Makes a server's answer precise by what the URL shows. */
function refine(said: Cause, facts: V4Facts, subject: Subject): Cause {
  const { token, endsAt } = facts;
  const but = (sentence: string, fix: string, code = said.code): Cause => ({ ...said, code, sentence, fix });
  const empty = s3Traps(subject.url).find(({ name }) => name === "empty-body-checksum");
  if (said.code === "CHECKSUM" && empty !== undefined)
    return but(empty.text, "Sign without a checksum, or with the checksum of the body that is sent.");
  if (said.code === "INVALID_TOKEN" && hasPlainPlus(subject))
    return but(
      `The session token (${TOKEN}) has a plain +, which was not sent as %2B: the server reads a space.`,
      "Percent-encode the token once, so that + travels as %2B.",
    );
  if (said.code === "INVALID_TOKEN" && token?.includes(" ") === true)
    return but(
      `The session token (${TOKEN}) has a space where it had a +: something decoded it before it was signed.`,
      "Give the signer the token exactly as it is in the credentials, and let the signer encode it once.",
    );
  // An answer that names the expiry already says this.
  const isEarly = said.code === "EXPIRED" && endsAt !== undefined && subject.now < endsAt;
  if (isEarly && subject.error?.fields.get("Expires") === undefined)
    return but(
      `The URL has expired by the server's clock, but not by this one: it says that it expires at ${endsAt.toISOString()}.`,
      "Set the clocks (NTP).",
      "CLOCK",
    );
  return said;
}

/** A token is in base64, in which + is a digit. */
function hasPlainPlus({ sentUrl }: Subject): boolean {
  return sentUrl.wire.tokens.some(({ name, value = "" }) => name === TOKEN && value.includes("+"));
}
