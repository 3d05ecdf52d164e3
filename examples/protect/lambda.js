import { isUtf8 } from "node:buffer";
import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";

const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [process.env["ORIGIN"] ?? "https://api.example.com"],
  enforces: ["body-length"],
});

const invoice = guardFetch(
  verifier,
  async (grant, /** @type {Request} */ request, /** @type {import("daypass/fetch").RequestFacts} */ _facts) =>
    Response.json({
      path: new URL(request.url).pathname,
      received: (await request.text()).length,
      until: grant.expiresAt,
    }),
  { facts: (_request, facts) => facts },
);

/**
 * Takes the events of function URLs and HTTP APIs, of REST APIs, and of load balancers.
 * @param {any} event
 */
export async function handler(event) {
  const { request, facts } = toRequest(event);
  return toAnswer(event, await invoice(request, facts));
}

/**
 * The request as the client sent it.
 * @param {any} event
 */
export function toRequest(event) {
  const { method, authority, path, query, facts } = headOf(event);
  const headers = new Headers();
  // The event has header values as text. `Headers` needs the bytes that were sent.
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? event.headers ?? {}))
    for (const value of [values].flat()) headers.append(name, Buffer.from(value).toString("latin1"));
  // Events of HTTP APIs have cookies only here.
  if (event.cookies) headers.set("cookie", event.cookies.join("; "));
  const hasBody = event.body && method !== "GET" && method !== "HEAD";
  const body = hasBody ? Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8") : null;
  // The path of an event has no query, so `?` and `#` in it are part of the path.
  const url = `https://${authority}${path.replace(/[?#]/g, encodeURIComponent)}${query && `?${query}`}`;
  return { request: new Request(url, { method, headers, body }), facts };
}

/**
 * The method, host, path, query and address of the request, by kind of event.
 * @param {any} event
 */
function headOf(event) {
  const { requestContext: context, httpMethod: method } = event;
  if (context.http) {
    const { rawPath: path, rawQueryString: query } = event;
    const facts = { remoteAddress: context.http.sourceIp };
    return { method: context.http.method, authority: context.domainName, path, query, facts };
  }
  const parameters = Object.entries(event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {});
  const pairs = parameters.flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
  if (context.elb) {
    // A load balancer passes the query as the client sent it.
    const query = pairs.map((pair) => pair.join("=")).join("&");
    const { host, "x-forwarded-for": chain } = event.multiValueHeaders ?? event.headers;
    const facts = { remoteAddress: [chain].flat().join().split(",").at(-1)?.trim() };
    return { method, authority: [host].flat()[0], path: event.path, query, facts };
  }
  // The query is decoded, so it is encoded again, and `event.path` lacks the stage that the client named.
  const query = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const facts = { remoteAddress: context.identity.sourceIp, query: /** @type {const} */ ("form") };
  return { method, authority: context.domainName, path: context.path, query, facts };
}

/**
 * The response in the form that the event's sender expects.
 * @param {any} event
 * @param {Response} response
 */
export async function toAnswer(event, response) {
  const bytes = Buffer.from(await response.arrayBuffer());
  const isBase64Encoded = !isUtf8(bytes);
  const body = bytes.toString(isBase64Encoded ? "base64" : "utf8");
  const answer = { statusCode: response.status, body, isBase64Encoded };
  const cookies = response.headers.getSetCookie();
  if (event.multiValueHeaders) {
    // A load balancer that sends many values of a header reads no other.
    const many = [...response.headers].map(([name, value]) => [name, name === "set-cookie" ? cookies : [value]]);
    return { ...answer, multiValueHeaders: Object.fromEntries(many) };
  }
  const { "set-cookie": last, ...headers } = Object.fromEntries(response.headers);
  if (event.requestContext.http) return { ...answer, headers, cookies };
  return { ...answer, headers: last === undefined ? headers : { ...headers, "set-cookie": last } };
}
