import { signedRoute } from "daypass/routes/fetch";
import { urlSigner, urlVerifier } from "daypass/url";

/** @type {{ fetch(request: Request, env: { DAYPASS_KEY: string }): Promise<Response> }} */
const worker = {
  fetch(request, env) {
    const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: env.DAYPASS_KEY });
    const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
    const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
    return invoice.fetch((grant, { id }) => Response.json({ id, until: grant.expiresAt }))(request);
  },
};

// biome-ignore lint/style/noDefaultExport: a Worker is its module's default export
export default worker;
