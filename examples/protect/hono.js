import { serve } from "@hono/node-server";
import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";
import { Hono } from "hono";

const port = Number(process.env["PORT"] ?? 8080);
const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [`http://127.0.0.1:${port}`],
});

const app = new Hono();
app.get("/invoices/:id", (c) =>
  guardFetch(verifier, (grant) => c.json({ id: c.req.param("id"), until: grant.expiresAt }))(c.req.raw),
);
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => console.log(`listening on port ${port}`));
