import { createServer } from "node:http";
import { guardNode } from "daypass/node";
import { urlVerifier } from "daypass/url";

const port = Number(process.env["PORT"] ?? 8080);
const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [`http://127.0.0.1:${port}`],
});

const invoice = guardNode(verifier, (grant, _req, res) => res.end(`paid until ${grant.expiresAt.toISOString()}`));
createServer(invoice).listen(port, "127.0.0.1", () => console.log(`listening on port ${port}`));
