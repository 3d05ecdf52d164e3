import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";

const verifier = urlVerifier({
  // Lambda@Edge has no environment variables: put the key in when the function is built.
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [process.env["ORIGIN"] ?? "https://files.example.com"],
});

const guard = guardFetch(
  verifier,
  // The origin answers in place of this handler, so the guard cannot set response headers or limit the body.
  (grant, /** @type {Request} */ _request, /** @type {import("daypass/fetch").RequestFacts} */ _facts) =>
    grant.obligations.length === 0
      ? new Response(null, { status: 204 })
      : Response.json({ code: "UNENFORCED_CONSTRAINT" }, { status: 403 }),
  { facts: (_request, facts) => facts },
);

/**
 * Receives the viewer requests of a distribution, and forwards granted ones.
 * @param {any} event
 */
export async function handler(event) {
  const { request } = event.Records[0].cf;
  const { method, clientIp, uri, querystring } = request;
  const headers = new Headers();
  for (const { key, value } of Object.values(request.headers).flat()) headers.append(key, value);
  const rawTarget = querystring === "" ? uri : `${uri}?${querystring}`;
  const url = `https://${request.headers.host[0].value}${rawTarget}`;
  const answer = await guard(new Request(url, { method, headers }), { rawTarget, remoteAddress: clientIp });
  if (answer.status === 204) return request;
  const fields = [...answer.headers].map(([key, value]) => [key, [{ key, value }]]);
  return { status: String(answer.status), headers: Object.fromEntries(fields), body: await answer.text() };
}
