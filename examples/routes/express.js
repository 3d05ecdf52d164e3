import { signedRoute } from "daypass/routes/express";
import { urlSigner, urlVerifier } from "daypass/url";
import express from "express";

const port = Number(process.env["PORT"] ?? 8080);
const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

const app = express();
app.get(
  invoice.path,
  invoice.express((grant, { id }, _req, res) => res.json({ id, until: grant.expiresAt })),
);
app.listen(port, "127.0.0.1", () => console.log(`listening on port ${port}`));
