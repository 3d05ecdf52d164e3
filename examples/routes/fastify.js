import { signedRoute } from "daypass/routes/fastify";
import { urlSigner, urlVerifier } from "daypass/url";
import fastify from "fastify";

const port = Number(process.env["PORT"] ?? 8080);
const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

const app = fastify();
app.get(
  invoice.path,
  invoice.fastify((grant, { id }) => ({ id, until: grant.expiresAt })),
);
await app.listen({ port, host: "127.0.0.1" });
console.log(`listening on port ${port}`);
