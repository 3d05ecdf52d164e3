import { createServer } from "node:http";
import { signedRoute } from "daypass/routes/node";
import { urlSigner, urlVerifier } from "daypass/url";

const port = Number(process.env["PORT"] ?? 8080);
const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

const serve = invoice.node((grant, { id }, _req, res) => res.end(JSON.stringify({ id, until: grant.expiresAt })));
createServer(serve).listen(port, "127.0.0.1", () => console.log(`listening on port ${port}`));
