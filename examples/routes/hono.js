import { serve } from "@hono/node-server";
import { signedRoute } from "daypass/routes/hono";
import { urlSigner, urlVerifier } from "daypass/url";
import { Hono } from "hono";

const port = Number(process.env["PORT"] ?? 8080);
const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

const app = new Hono();
app.get(
  invoice.path,
  invoice.hono((grant, { id }, c) => c.json({ id, until: grant.expiresAt })),
);
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => console.log(`listening on port ${port}`));
