import { signedRoute } from "daypass/routes/fetch";
import { urlSigner, urlVerifier } from "daypass/url";
import { H3, serve } from "h3";

const port = Number(process.env["PORT"] ?? 8080);
const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

const app = new H3();
app.get(invoice.path, (event) => {
  const facts = () => ({ rawTarget: event.runtime?.node?.req.url });
  return invoice.fetch((grant, { id }) => Response.json({ id, until: grant.expiresAt }), { facts })(event.req);
});
await serve(app, { port, hostname: "127.0.0.1", silent: true }).ready();
console.log(`listening on port ${port}`);
