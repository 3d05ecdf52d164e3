import { guardNode } from "daypass/node";
import { urlVerifier } from "daypass/url";
import express from "express";

const port = Number(process.env["PORT"] ?? 8080);
const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [`http://127.0.0.1:${port}`],
});

const app = express();
app.get("/invoices/:id", (req, res, next) =>
  guardNode(verifier, (grant) => res.json({ id: req.params.id, until: grant.expiresAt }))(req, res, next),
);
app.listen(port, "127.0.0.1", () => console.log(`listening on port ${port}`));
