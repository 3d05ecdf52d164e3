import { signedRoute } from "daypass/routes";
import { urlSigner, urlVerifier } from "daypass/url";

const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
const report = signedRoute({ path: "/reports/:customer", signer: urlSigner({ key }), verifier });

/**
 * The web server puts signed URLs into the queue: one for each customer. A bad item is an error in its place.
 * @param {Iterable<string>} customers
 */
export async function* enqueue(customers) {
  const items = [...customers].map((customer) => /** @type {const} */ ([{ customer }, { expiresIn: 3600 }]));
  for await (const signed of report.signMany(items)) yield "url" in signed ? signed.url : signed.error.message;
}

/**
 * The worker acts only on a URL that the web server has signed.
 * @param {string} url
 */
export async function work(url) {
  const { params } = await report.verify(url);
  return `report for ${params.customer}`;
}
