import { signedRoute } from "daypass/routes/next";
import { urlSigner, urlVerifier } from "daypass/url";

const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [process.env["ORIGIN"] ?? "https://api.example.com"] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

export const GET = invoice.next((grant, { id }) => Response.json({ id, until: grant.expiresAt }));
