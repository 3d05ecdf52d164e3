import { signedRoute } from "daypass/routes/node";
import { urlSigner, urlVerifier } from "daypass/url";
import Koa from "koa";

const port = Number(process.env["PORT"] ?? 8080);
const key = /** @type {const} */ ({ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" });
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });

const app = new Koa();
app.use((ctx, next) => {
  const serve = invoice.node((grant, { id }) => Object.assign(ctx, { body: { id, until: grant.expiresAt } }));
  return ctx.path.startsWith("/invoices/") ? serve(ctx.req, ctx.res) : next();
});
app.listen(port, "127.0.0.1", () => console.log(`listening on port ${port}`));
